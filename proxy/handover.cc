#include "handover.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <span>

#include "net/unix_socket.h"

namespace holdfast {
namespace {

using pipeline::Level;
using pipeline::ReplayResult;
using takeover::Type;

// From kSwitch to kSwitched: meanwhile no request with a proof is answered.
constexpr std::chrono::seconds kPatience{5};
constexpr std::chrono::milliseconds kBreath{1};
constexpr std::size_t kQueued = 32;  // messages that may wait for the successor to read

std::uint8_t type(Type type) {
  return static_cast<std::uint8_t>(type);
}

}  // namespace

Handover::Handover(net::Worker& control, pipeline::EventLog& log, const replay::MemoryStore& store,
                   std::vector<replay::WorkerStore*> stores, Owner owner)
    : control_(control),
      log_(log),
      store_(store),
      stores_(std::move(stores)),
      owner_(std::move(owner)),
      timer_(control.io()) {}

Handover::~Handover() {
  if (link_) link_->close();
}

// ---- meeting ---------------------------------------------------------------------------------------------

std::expected<void, std::string> Handover::listen(const std::filesystem::path& path) {
  auto socket = net::listen_unix(path, net::UnixKind::kMessages);
  if (!socket) return std::unexpected(socket.error());
  path_ = path;
  listening_.emplace(control_.io(), socket->release());
  accept();
  return {};
}

void Handover::stop() {
  if (listening_) {
    listening_.reset();
    ::unlink(path_.c_str());
  }
  if (link_ && !handed_over()) fail("this process ends");
}

void Handover::accept() {
  listening_->async_wait(Acceptor::wait_read, [this](boost::system::error_code error) {
    if (error || !listening_) return;
    net::Descriptor peer(::accept4(listening_->native_handle(), nullptr, nullptr, SOCK_CLOEXEC));
    if (peer && !net::peer_is_this_user(peer)) {
      log_.event(Level::kWarn, "takeover_refused", {{"why", "it came from another user's process"}});
    } else if (peer && !link_) {
      link_ = std::make_shared<net::FrameLink>(control_.io(), std::move(peer));
      link_->start([this](const net::Frame& frame) { on_frame(frame); }, [this] { on_closed(); });
    }
    accept();
  });
}

void Handover::on_frame(const net::Frame& frame) {
  const auto kind = static_cast<Type>(frame.type);
  if (kind == Type::kHello && state_ == State::kIdle) return greet(frame);
  if (kind == Type::kTake && state_ == State::kGreeted) return begin_copying();
  if (kind == Type::kSwitched && state_ == State::kSwitching && awaited_ == 0) return commit();
  if (kind == Type::kResult && state_ == State::kHandedOver) return on_result(frame);
  if (handed_over()) return link_->close();
  fail("the successor said what does not belong here");
}

void Handover::greet(const net::Frame& frame) {
  if (takeover::parse_hello(frame.payload) != takeover::kVersion) {
    return fail("the successor speaks another version");
  }
  state_ = State::kGreeted;
  link_->send(type(Type::kInherit), takeover::inherit(owner_.estate()));
  for (const auto& [socket, descriptor] : owner_.sockets()) {
    link_->send(type(Type::kSocket), takeover::socket(socket), descriptor);
  }
  link_->send(type(Type::kSocketsEnd), {});
  log_.event(Level::kInfo, "takeover_begun", {});
}

void Handover::on_closed() {
  link_.reset();
  if (!handed_over()) return fail("the successor went away");
  state_ = State::kLost;
  for (const auto& [number, asked] : std::exchange(asked_, {})) answer(asked, ReplayResult::kUnavailable);
}

// ---- copying ---------------------------------------------------------------------------------------------

void Handover::begin_copying() {
  state_ = State::kCopying;
  awaited_ = stores_.size();
  for (replay::WorkerStore* const store : stores_) {
    store->worker().post([this, store, round = round_] {
      store->note_claims();
      control_.post([this, round] {
        if (round == round_ && --awaited_ == 0) copy_from(0);
      });
    });
  }
}

void Handover::copy_from(std::size_t shard) {
  if (shard == replay::MemoryStore::kShards) return send_claims_away();
  if (link_->queued() < kQueued) {
    std::vector<replay::LiveEntry> entries;
    store_.copy(shard++, std::chrono::steady_clock::now(), entries);
    send_entries(entries);
    control_.post([this, shard, round = round_] {
      if (round == round_) copy_from(shard);
    });
    return;
  }
  timer_.expires_after(kBreath);
  timer_.async_wait([this, shard, round = round_](boost::system::error_code cancelled) {
    if (!cancelled && round == round_) copy_from(shard);
  });
}

void Handover::send_entries(const std::vector<replay::LiveEntry>& entries) {
  for (std::size_t at = 0; at < entries.size(); at += takeover::kEntriesPerMessage) {
    const std::size_t count = std::min(takeover::kEntriesPerMessage, entries.size() - at);
    link_->send(type(Type::kEntries), takeover::entries(std::span(entries).subspan(at, count)));
  }
}

// ---- the switch ------------------------------------------------------------------------------------------

void Handover::send_claims_away() {
  state_ = State::kSwitching;
  awaited_ = stores_.size();
  for (replay::WorkerStore* const store : stores_) {
    store->worker().post([this, store, round = round_] {
      control_.post([this, round, noted = store->send_away(*this)] {
        if (round != round_) return;
        send_entries(noted);
        if (--awaited_ == 0) link_->send(type(Type::kSwitch), {});
      });
    });
  }
  timer_.expires_after(kPatience);
  timer_.async_wait([this, round = round_](boost::system::error_code cancelled) {
    if (!cancelled && round == round_ && state_ == State::kSwitching) {
      fail("the successor did not answer in time");
    }
  });
}

void Handover::commit() {
  state_ = State::kHandedOver;
  timer_.cancel();
  // The path is free before the successor hears that it may have it.
  listening_.reset();
  link_->send(type(Type::kGo), {});
  for (const Held& held : std::exchange(held_, {})) ask(held);
  log_.event(Level::kInfo, "handed_over", {});
  owner_.handed_over();
}

void Handover::fail(const std::string& why) {
  log_.event(Level::kError, "takeover_failed", {{"why", why}, {"detail", "this process goes on"}});
  const bool noting = state_ == State::kCopying || state_ == State::kSwitching;
  state_ = State::kIdle;
  ++round_;
  timer_.cancel();
  held_.clear();
  if (link_) std::exchange(link_, nullptr)->close();
  if (!noting) return;
  for (replay::WorkerStore* const store : stores_) {
    store->worker().post([store] { store->take_back(); });
  }
}

// ---- claims ----------------------------------------------------------------------------------------------

void Handover::claim(replay::WorkerStore& store, std::uint64_t number, const pipeline::ReplayClaim& claim) {
  const Held held{{&store, number}, claim};
  switch (state_) {
    case State::kSwitching:
      held_.push_back(held);
      return;
    case State::kHandedOver:
      return ask(held);
    case State::kLost:
      return answer(held.asked, ReplayResult::kUnavailable);
    case State::kIdle:
    case State::kGreeted:
    case State::kCopying:
      return;  // taken back while it was on its way here
  }
}

void Handover::ask(const Held& held) {
  const std::uint64_t number = next_++;
  asked_.emplace(number, held.asked);
  link_->send(type(Type::kClaim), takeover::claim({number, held.claim}));
}

void Handover::on_result(const net::Frame& frame) {
  const auto result = takeover::parse_result(frame.payload);
  if (!result) return link_->close();
  const auto at = asked_.find(result->number);
  if (at == asked_.end()) return;
  const Asked asked = at->second;
  asked_.erase(at);
  answer(asked, result->result);
}

void Handover::answer(const Asked& asked, ReplayResult result) {
  asked.store->worker().post(
      [store = asked.store, number = asked.number, result] { store->answer(number, result); });
}

}  // namespace holdfast
