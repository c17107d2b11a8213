// The way in: from bytes to requests and their bodies, as far as they were asked for.
#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "http/websocket.h"
#include "listener/http1_session.h"

namespace holdfast::listener {

namespace {

constexpr std::size_t kHeadRead = 16 * 1024;
// The rest of a body that nobody wants is read to keep the connection up to this size, else given up.
constexpr std::size_t kMaxDiscard = 64 * 1024;
// Reads that one connection may make before others have their turn.
constexpr int kFairReads = 16;

}  // namespace

void Http1Session::on_readable() {
  pump();
}

void Http1Session::pump() {
  if (pumping_) return;
  const Ref<Http1Session> self(this);
  pumping_ = true;
  for (int i = 0; pump_once(); ++i) {
    if (i < kFairReads) continue;
    pump_wanted_ = true;
    schedule();
    break;
  }
  pumping_ = false;
}

// Says whether there may be more to do.
bool Http1Session::pump_once() {
  switch (phase_) {
    case Phase::kHead:
    case Phase::kBody:
    case Phase::kDiscard:
      return read_request();
    case Phase::kWait:
      return watch_for_end();
    case Phase::kTunnel:
      return read_tunnel();
    case Phase::kLinger:
      return discard_rest();
    case Phase::kStopped:
    case Phase::kClosed:
      return false;
  }
  return false;
}

bool Http1Session::read_request() {
  const bool body = phase_ == Phase::kBody;
  if (body && exchange_->credit_ == 0) {
    // Not the client's fault: its clock stands still.
    input_deadline_.cancel();
    return false;
  }
  if (!held_.empty()) {
    held_at_ += feed(std::span(held_).subspan(held_at_));
    if (held_at_ == held_.size()) {
      release_memory(held_);
      held_at_ = 0;
    }
    return true;
  }
  const std::span<char> buffer = Connection::read_buffer();
  const auto result = stream().read(body ? buffer : buffer.first(kHeadRead));
  if (result.state == net::Stream::State::kWouldBlock) {
    if (phase_ != Phase::kHead && (body_moved_ || !input_deadline_.armed())) {
      body_moved_ = false;
      input_deadline_.arm(timeouts().body_idle);
    }
    stream().wait_readable();
    return false;
  }
  if (result.state != net::Stream::State::kOk) {
    if (is_idle()) {
      stream().shutdown_write();
      close(false);
    } else {
      client_gone(false);
    }
    return false;
  }
  use(buffer.first(result.bytes));
  return true;
}

// Takes what may be taken now and keeps the rest.
void Http1Session::use(std::span<const char> bytes) {
  const std::size_t used = feed(bytes);
  if (used < bytes.size() && phase_ < Phase::kStopped) held_.assign(bytes.data() + used, bytes.size() - used);
}

// The request is complete and its answer under way: what the client sends now is its next request, of which
// one read's worth is kept, or its end.
bool Http1Session::watch_for_end() {
  if (!held_.empty()) return false;
  const std::span<char> buffer = Connection::read_buffer();
  const auto result = stream().read(buffer.first(kHeadRead));
  if (result.state == net::Stream::State::kOk) {
    held_.assign(buffer.data(), result.bytes);
  } else if (result.state == net::Stream::State::kWouldBlock) {
    stream().wait_readable();
  } else {
    client_gone(false);
  }
  return false;
}

bool Http1Session::discard_rest() {
  if (!out_.empty()) return false;
  const auto result = stream().read(Connection::read_buffer());
  if (result.state == net::Stream::State::kOk) return true;
  if (result.state == net::Stream::State::kWouldBlock) {
    stream().wait_readable();
  } else {
    close(false);
  }
  return false;
}

// From here on the connection is the tunnel's. What the client sent too early was held and goes first.
void Http1Session::open_tunnel(Http1Exchange& exchange) {
  exchange.request_ended_ = false;
  exchange.body_unknown_ = true;
  phase_ = Phase::kTunnel;
  input_deadline_.arm(timeouts().tunnel);
  pump_wanted_ = true;
  schedule();
}

bool Http1Session::read_tunnel() {
  const Ref<Http1Exchange> exchange = exchange_;
  if (exchange->credit_ == 0 || exchange->request_ended_) return false;
  if (!held_.empty()) {
    const std::size_t size = std::min(held_.size() - held_at_, exchange->credit_);
    const std::string bytes = held_.substr(held_at_, size);
    held_at_ += size;
    if (held_at_ == held_.size()) {
      release_memory(held_);
      held_at_ = 0;
    }
    take_body(bytes);
    return true;
  }
  const std::span<char> buffer = Connection::read_buffer();
  const auto result = stream().read(buffer.first(std::min(buffer.size(), exchange->credit_)));
  switch (result.state) {
    case net::Stream::State::kOk:
      input_deadline_.arm(timeouts().tunnel);
      take_body(buffer.first(result.bytes));
      return true;
    case net::Stream::State::kWouldBlock:
      stream().wait_readable();
      return false;
    case net::Stream::State::kEnd:
      // Its side only: what the backend still says goes to it.
      exchange->request_ended_ = true;
      if (const Ref<pipeline::BackendStream> backend = exchange->backend_) backend->on_request_end();
      return false;
    case net::Stream::State::kFailed:
      client_gone(false);
      return false;
  }
  return false;
}

// Takes as much as may be taken now; returns how much that was.
std::size_t Http1Session::feed(std::span<const char> bytes) {
  std::size_t used = 0;
  while (true) {
    std::span<const char> offer = bytes.subspan(used);
    if (phase_ == Phase::kBody) offer = offer.first(std::min(offer.size(), exchange_->credit_));
    const wire::Step step = decoder_.feed(offer);
    used += step.consumed;
    switch (step.event) {
      case wire::Event::kHead:
        begin_exchange();
        break;
      case wire::Event::kData:
        take_body(step.data);
        break;
      case wire::Event::kEnd:
        end_request();
        return used;
      case wire::Event::kFault:
        fault();
        return used;
      case wire::Event::kInterim:
      case wire::Event::kNeedMore:
        if (phase_ == Phase::kHead && !head_begun_ && decoder_.in_message()) {
          head_begun_ = true;
          input_deadline_.arm(timeouts().headers);
        }
        return used;
    }
    if (phase_ != Phase::kBody && phase_ != Phase::kDiscard) return used;
  }
}

void Http1Session::begin_exchange() {
  input_deadline_.cancel();
  http::RequestHead head = decoder_.take_head();
  const Ref<Http1Exchange> exchange = make_counted<Http1Exchange>(*this);
  exchange->head_request_ = head.method == "HEAD";
  exchange->version_minor_ = head.version_minor;
  exchange->wants_close_ = decoder_.wants_close();
  exchange->awaits_continue_ = head.expect_continue;
  exchange->upgrade_ = http::is_websocket(head);
  exchange->body_unknown_ = head.body.kind == http::BodyLength::Kind::kUnknown;
  exchange->body_left_ = head.body.kind == http::BodyLength::Kind::kKnown ? head.body.bytes : 0;
  exchange_ = exchange;
  phase_ = Phase::kBody;
  body_moved_ = true;
  discarded_ = 0;
  Ref<pipeline::BackendStream> backend =
      connection_->handler().start(std::move(head), connection_->facts(), exchange);
  if (exchange->gone_) {
    if (backend) backend->on_request_cancel(pipeline::Cause::kClientGone);
  } else if (!exchange->ended_) {
    exchange->backend_ = std::move(backend);
  }
}

void Http1Session::refuse(Refusal refusal, std::uint16_t status) {
  phase_ = Phase::kStopped;
  input_deadline_.cancel();
  http::RequestHead head = decoder_.take_broken_head();
  const Ref<Http1Exchange> exchange = make_counted<Http1Exchange>(*this);
  exchange->head_request_ = head.method == "HEAD";
  exchange->wants_close_ = true;
  exchange_ = exchange;
  connection_->handler().refuse(std::move(refusal), status, std::move(head), connection_->facts(), exchange);
}

void Http1Session::take_body(std::span<const char> bytes) {
  body_moved_ = true;
  if (phase_ == Phase::kDiscard) {
    discarded_ += bytes.size();
    if (discarded_ > kMaxDiscard) end_connection();
    return;
  }
  const Ref<Http1Exchange> exchange = exchange_;
  exchange->awaits_continue_ = false;
  exchange->credit_ -= bytes.size();
  if (!exchange->body_unknown_) exchange->body_left_ -= bytes.size();
  if (exchange->backend_) exchange->backend_->on_request_data(bytes);
}

void Http1Session::end_request() {
  input_deadline_.cancel();
  const Ref<Http1Exchange> exchange = exchange_;
  exchange->request_ended_ = true;
  if (exchange->ended_) return exchange->encoder_.close() ? end_connection() : next_request();
  phase_ = Phase::kWait;
  const Ref<pipeline::BackendStream> backend = exchange->backend_;
  if (!backend || exchange->upgrade_) return;
  if (http::Fields trailers = decoder_.take_trailers(); !trailers.empty()) {
    backend->on_request_trailers(std::move(trailers));
    if (!exchange->is_current() || exchange->ended_) return;
  }
  backend->on_request_end();
}

void Http1Session::fault() {
  count(Close::kMalformed);
  if (phase_ == Phase::kHead) {
    wire::Fault fault = decoder_.fault();
    return refuse(std::move(fault.refusal), fault.status);
  }
  if (phase_ == Phase::kDiscard) return end_connection();
  fail_request(cause_of(decoder_.fault()));
}

// The body went wrong. The story answers, if no answer has begun; the connection ends either way.
void Http1Session::fail_request(pipeline::Cause cause) {
  phase_ = Phase::kStopped;
  input_deadline_.cancel();
  const Ref<Http1Exchange> exchange = exchange_;
  exchange->wants_close_ = true;
  const Ref<pipeline::BackendStream> backend = exchange->backend_;
  if (backend) backend->on_request_cancel(cause);
}

}  // namespace holdfast::listener
