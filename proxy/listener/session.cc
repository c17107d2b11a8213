#include "listener/session.h"

#include <utility>

namespace holdfast::listener {

namespace {

// How long the client may take to end its side after we ended ours.
constexpr std::chrono::milliseconds kLinger{5'000};

}  // namespace

Session::Session(Listener& listener, net::Socket socket, const net::Endpoint& peer)
    : listener_(&listener),
      config_(listener.config_),
      stream_(listener.worker_, std::move(socket),
              config_->tls != nullptr ? config_->tls->new_ssl() : nullptr, *this),
      decoder_({.max_head_bytes = config_->limits.max_header_bytes,
                .max_fields = config_->limits.max_headers,
                .max_body_bytes = config_->limits.max_body}),
      input_deadline_(listener.worker_.wheel(), *this, kInput),
      output_deadline_(listener.worker_.wheel(), *this, kOutput) {
  facts_.listener = config_->index;
  facts_.client_ip = peer.ip();
  facts_.client_address = peer.bytes();
  facts_.tls = config_->tls != nullptr;
}

void Session::start() {
  self_ = Ref<Session>(this);
  listener_->add(*this);
  // Out of memory for an SSL must not turn a TLS listener into a plain one.
  if (!stream_.is_open() || stream_.is_tls() != facts_.tls) return close(true);
  input_deadline_.arm(timeouts().handshake);
  pump();
}

void Session::drain() {
  if (draining_ || phase_ == Phase::kClosed) return;
  const Ref<Session> self(this);
  draining_ = true;
  // What the client sent before it could know is served.
  pump();
  if (is_idle()) end_connection();
}

void Session::abandon() {
  client_gone(false);
}

bool Session::is_idle() const {
  return phase_ == Phase::kHead && !decoder_.in_message() && held_.empty();
}

void Session::on_deadline(int which) {
  const Ref<Session> self(this);
  if (which == kOutput) return client_gone(true);
  switch (phase_) {
    case Phase::kHead:
      if (!decoder_.in_message()) return end_connection();
      return refuse({Reason::request_timeout, "the request's head came too slowly"}, 408);
    case Phase::kBody:
      return fail_request(pipeline::Cause::kRequestTimeout);
    case Phase::kDiscard:
      return end_connection();
    case Phase::kHandshake:
    case Phase::kLinger:
      return close(false);
    case Phase::kWait:
    case Phase::kStopped:
    case Phase::kClosed:
      return;
  }
}

// Called from inside the other side's calls, work that could call that side again waits for the end of the
// loop's turn: no call grows on top of its own answer, and what was written till then leaves in one piece.
void Session::schedule() {
  if (turn_posted_ || phase_ == Phase::kClosed) return;
  turn_posted_ = true;
  stream_.worker().post([self = Ref<Session>(this)] { self->turn(); });
}

void Session::turn() {
  turn_posted_ = false;
  if (phase_ == Phase::kClosed) return;
  flush();
  grant_response();
  if (std::exchange(pump_wanted_, false)) pump();
}

void Session::next_request() {
  exchange_.reset();
  decoder_.next();
  phase_ = Phase::kHead;
  head_begun_ = false;
  input_deadline_.arm(timeouts().idle);
  if (draining_ && held_.empty()) return end_connection();
  if (pumping_) return;
  if (!held_.empty()) {
    pump_wanted_ = true;
    schedule();
  } else {
    stream_.wait_readable();
  }
}

// Ends our side once everything is written, then waits for the client to end its own where a close would
// lose something.
void Session::end_connection() {
  if (phase_ == Phase::kClosed) return;
  const bool all_read = is_idle() || (exchange_ && exchange_->request_ended_ && held_.empty());
  exchange_.reset();
  phase_ = Phase::kLinger;
  input_deadline_.cancel();
  held_ = {};
  held_at_ = 0;
  flush();
  if (phase_ != Phase::kLinger || !out_.empty()) return;  // on_writable() goes on
  stream_.shutdown_write();
  if (all_read && stream_.flushed()) return close(false);
  input_deadline_.arm(kLinger);
  stream_.wait_readable();
}

// The client has gone, or is given up: nobody is left to answer.
void Session::client_gone(bool reset) {
  const Ref<Session> self(this);
  const Ref<Exchange> exchange = std::exchange(exchange_, nullptr);
  close(reset);
  if (!exchange) return;
  const Ref<pipeline::BackendStream> backend = std::exchange(exchange->backend_, nullptr);
  if (exchange->ended_) return;
  exchange->gone_ = true;
  if (backend) backend->on_request_cancel(pipeline::Cause::kClientGone);
}

void Session::close(bool reset) {
  if (phase_ == Phase::kClosed) return;
  const Ref<Session> self = std::exchange(self_, nullptr);
  phase_ = Phase::kClosed;
  input_deadline_.cancel();
  output_deadline_.cancel();
  stream_.close(reset);
  out_ = {};
  listener_->remove(*this);
}

}  // namespace holdfast::listener
