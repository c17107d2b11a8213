// Sockets that were open before this process, taking over from the process before it, and being taken over.
// What the two say to each other is predecessor.h's and handover.h's.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "net/listen.h"
#include "net/unix_socket.h"
#include "parts/compile_rules.h"
#include "parts/part_configs.h"
#include "server.h"

namespace holdfast {
namespace {

using pipeline::Level;

// How long a successor may take to fetch its issuers' keys; the process before it serves meanwhile.
constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kLook{10};

}  // namespace

// ---- sockets ---------------------------------------------------------------------------------------------

void Server::note_sockets(const std::string& name, const Opened& opened) {
  for (const net::Descriptor& socket : opened.sockets) {
    listening_.push_back({{name, opened.kept}, socket.fd()});
  }
}

Server::Opened Server::adopt(const std::string& name, std::vector<InheritedSocket> inherited,
                             std::size_t count) {
  Opened opened;
  for (InheritedSocket& each : inherited) {
    opened.kept = opened.kept || each.kept;
    opened.sockets.push_back(std::move(each.socket));
  }
  opened.sockets = parts::or_fail(spread(std::move(opened.sockets), count));
  note_sockets(name, opened);
  return opened;
}

Server::Opened Server::open_sockets(const std::string& name, const settings::Address& address,
                                    std::size_t count) {
  const net::ListenAddress at{.host = address.host, .port = address.port};
  auto inherited = inherited_.take(name, parts::or_fail(net::resolve_listen_address(at)));
  if (!inherited.empty()) return adopt(name, std::move(inherited), count);
  Opened opened{parts::or_fail(net::open_listening_sockets(at, count)), false};
  note_sockets(name, opened);
  return opened;
}

// Now, while a failure still costs nobody anything.
void Server::open_other_sockets() {
  if (settings_.probes) probe_sockets_ = open_sockets("probes", *settings_.probes, 1).sockets;
  if (settings_.admin && settings_.admin->socket) {
    auto inherited = inherited_.take("admin", *settings_.admin->socket);
    if (inherited.empty()) {
      Opened opened;
      opened.sockets.push_back(parts::or_fail(net::listen_unix(*settings_.admin->socket)));
      note_sockets("admin", opened);
      admin_sockets_ = std::move(opened.sockets);
    } else {
      admin_sockets_ = adopt("admin", std::move(inherited), 1).sockets;
    }
  } else if (settings_.admin) {
    admin_sockets_ = open_sockets("admin", settings_.admin->address, 1).sockets;
  }
  for (const InheritedSocket& left : inherited_.left()) {
    if (left.by_name) {
      throw parts::StartError("LISTEN_FDS: socket \"" + left.name +
                              "\" has neither the name nor the address of a listener, probes or admin");
    }
    log_.event(Level::kWarn, "inherited_socket_closed", {{"name", left.name}});
  }
  inherited_ = InheritedSockets();
}

// ---- taking over -----------------------------------------------------------------------------------------

// As after a reload: what remembered a proof there may be gone, so a wider window is for proofs issued since,
// and a nonce that was not asked for there counts for nothing here. It lets some in until it has handed over,
// and then until it has drained.
void Server::inherit_window(pipeline::Rules& rules) {
  const takeover::Estate& estate = inheritance_->estate;
  const dpop::Window before{.max_age = estate.reach - estate.clock_skew,
                            .clock_skew = estate.clock_skew,
                            .nonces_since = estate.nonces_since};
  const UnixTime over = net::Worker::now().wall + kPatience + estate.drain;
  succeed(rules, before, estate.nonce_demands, over, settings_);
}

void Server::take_over() {
  log_.event(Level::kInfo, "taking_over", {});
  predecessor_ = std::make_unique<Predecessor>(
      control_, std::move(inheritance_->link), replay_, control_claims_,
      Predecessor::Events{[this] { begin_serving(); }, [this] { on_predecessor_gone(); }});
  await_ready(std::chrono::steady_clock::now() + kPatience);
}

void Server::await_ready(std::chrono::steady_clock::time_point until) {
  const bool keys =
      std::ranges::all_of(issuers_.numbers(), [this](std::size_t number) { return issuers_.loaded(number); });
  if (keys && ServedUpstreams::settled(upstreams_.served())) return predecessor_->take();
  if (std::chrono::steady_clock::now() >= until) {
    failure_ = "takeover: an issuer's keys could not be fetched; the process before this one goes on";
    return end();
  }
  next_due_.expires_after(kLook);
  next_due_.async_wait([this, until](boost::system::error_code cancelled) {
    if (!cancelled) await_ready(until);
  });
}

void Server::on_predecessor_gone() {
  if (!started_) {
    failure_ = "takeover: the process before this one ended it";
    return end();
  }
  log_.event(Level::kInfo, "predecessor_gone", {});
  // Not from inside its own call.
  control_.post([this] {
    predecessor_.reset();
    if (empty_) end();
  });
}

// ---- being taken over ------------------------------------------------------------------------------------

void Server::await_successor() {
  if (!takeover_) return;
  std::vector<replay::WorkerStore*> stores{&control_claims_};
  for (Crew& crew : crews_) stores.push_back(&crew.claims);
  handover_ = std::make_unique<Handover>(
      control_, log_, replay_, std::move(stores),
      Handover::Owner{.estate =
                          [this] {
                            const auto age = std::chrono::steady_clock::now() - born_.steady;
                            return takeover::Estate{
                                .store_age = std::chrono::duration_cast<Millis>(age),
                                .nonce_secret = Secret(std::string(nonce_secret_.reveal())),
                                .ticket_keys = certificates_.ticket_keys()->export_ring(),
                                // what the oldest proofs have is the least
                                .reach = window_.reach(UnixTime::min()),
                                .clock_skew = window_.clock_skew,
                                .drain = settings_.shutdown.drain,
                                .nonce_demands = parts::nonce_demands(settings_),
                                .nonces_since = window_.nonces_since};
                          },
                      .sockets = [this] { return listening_; },
                      .handed_over = [this] { on_handed_over(); }});
  if (const auto listening = handover_->listen(*takeover_); !listening) {
    log_.event(Level::kError, "takeover_not_possible", {{"why", listening.error()}});
  }
}

void Server::on_handed_over() {
  draining_ = true;
  accepting_ = false;
  delay_.cancel();
  probes_.reset();
  admin_.reset();
  drain_listeners(true);
}

}  // namespace holdfast
