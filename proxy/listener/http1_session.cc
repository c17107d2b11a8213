#include "listener/http1_session.h"

#include <utility>

#include "base/buffer.h"

namespace holdfast::listener {

Http1Session::Http1Session(Connection& connection)
    : connection_(&connection),
      decoder_({.max_head_bytes = connection.limits().max_header_bytes,
                .max_fields = connection.limits().max_headers}),
      input_deadline_(connection.worker().wheel(), *this, kInput),
      output_deadline_(connection.worker().wheel(), *this, kOutput) {}

void Http1Session::start(std::span<const char> first) {
  const Ref<Http1Session> self(this);
  input_deadline_.arm(timeouts().headers);
  pumping_ = true;
  if (!first.empty()) use(first);
  pumping_ = false;
  pump();
}

void Http1Session::drain() {
  const Ref<Http1Session> self(this);
  // What the client sent before it could know is served, also where the loop has not told of it yet: a close
  // would answer that with RST.
  pump();
  if (is_idle() && !connection_->has_unread()) end_connection();
}

void Http1Session::abandon() {
  client_gone(false);
}

bool Http1Session::is_idle() const {
  return phase_ == Phase::kHead && !decoder_.in_message() && held_.empty();
}

void Http1Session::on_deadline(int which) {
  const Ref<Http1Session> self(this);
  if (which == kOutput) {
    count(Close::kSlowReader);
    return client_gone(true);
  }
  switch (phase_) {
    case Phase::kHead:
      count(decoder_.in_message() ? Close::kHeadersTimeout : Close::kIdleTimeout);
      if (!decoder_.in_message()) return end_connection();
      return refuse({Reason::request_timeout, "the request's head came too slowly"}, 408);
    case Phase::kBody:
      count(Close::kBodyTimeout);
      return fail_request(pipeline::Cause::kRequestTimeout);
    case Phase::kDiscard:
      count(Close::kBodyTimeout);
      return end_connection();
    case Phase::kLinger:
      return close(false);
    case Phase::kTunnel:
      count(Close::kTunnelTimeout);
      return client_gone(false);
    case Phase::kWait:
    case Phase::kStopped:
    case Phase::kClosed:
      return;
  }
}

// Called from inside the other side's calls, work that could call that side again waits for the end of the
// loop's turn: no call grows on top of its own answer, and what was written till then leaves in one piece.
void Http1Session::schedule() {
  if (turn_posted_ || phase_ == Phase::kClosed) return;
  turn_posted_ = true;
  connection_->worker().post([self = Ref<Http1Session>(this)] { self->turn(); });
}

void Http1Session::turn() {
  turn_posted_ = false;
  if (phase_ == Phase::kClosed) return;
  flush();
  grant_response();
  if (std::exchange(pump_wanted_, false)) pump();
}

void Http1Session::next_request() {
  exchange_.reset();
  decoder_.next();
  phase_ = Phase::kHead;
  head_begun_ = false;
  input_deadline_.arm(timeouts().idle);
  if (connection_->draining() && held_.empty()) return end_connection();
  if (pumping_) return;
  if (!held_.empty()) {
    pump_wanted_ = true;
    schedule();
  } else {
    stream().wait_readable();
  }
}

// Ends our side once everything is written, then waits for the client to end its own where a close would
// lose something.
void Http1Session::end_connection() {
  if (phase_ == Phase::kClosed) return;
  const bool all_read = is_idle() || (exchange_ && exchange_->request_ended_ && held_.empty());
  exchange_.reset();
  phase_ = Phase::kLinger;
  input_deadline_.cancel();
  release_memory(held_);
  held_at_ = 0;
  flush();
  if (phase_ != Phase::kLinger || !out_.empty()) return;  // on_writable() goes on
  stream().shutdown_write();
  if (all_read && stream().flushed()) return close(false);
  input_deadline_.arm(kLingerTime);
  stream().wait_readable();
}

// The client has gone, or is given up: nobody is left to answer.
void Http1Session::client_gone(bool reset) {
  const Ref<Http1Session> self(this);
  const Ref<Http1Exchange> exchange = std::exchange(exchange_, nullptr);
  close(reset);
  if (!exchange) return;
  const Ref<pipeline::BackendStream> backend = std::exchange(exchange->backend_, nullptr);
  if (exchange->ended_) return;
  exchange->gone_ = true;
  if (backend) backend->on_request_cancel(pipeline::Cause::kClientGone);
}

void Http1Session::close(bool reset) {
  if (phase_ == Phase::kClosed) return;
  const Ref<Http1Session> self(this);
  phase_ = Phase::kClosed;
  input_deadline_.cancel();
  output_deadline_.cancel();
  release_memory(out_);
  connection_->close(reset);
}

}  // namespace holdfast::listener
