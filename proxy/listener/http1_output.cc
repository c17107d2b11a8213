// The way out: from answers to bytes, as fast as the client takes them.
#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "listener/date.h"
#include "listener/http1_session.h"

namespace holdfast::listener {

namespace {

// From here on body bytes are written from where they are instead of being gathered.
constexpr std::size_t kWorthWriting = 4096;
// Credit is given back in pieces of this size, not for every write.
constexpr std::size_t kGrant = pipeline::kInitialCredit / 4;
// The rest of a request's body that is worth reading to keep the connection.
constexpr std::uint64_t kWorthDiscarding = 64 * 1024;

}  // namespace

// ---- the exchange's side ---------------------------------------------------------------------------------

Http1Exchange::Http1Exchange(Http1Session& session)
    : session_(&session), timeouts_(session.connection_->timeouts()) {}

bool Http1Exchange::is_current() const {
  return session_->exchange_.get() == this;
}

bool Http1Exchange::may_keep_alive() const {
  if (wants_close_ || session_->connection_->draining()) return false;
  if (request_ended_) return true;
  // Whether a client that waits for 100 still sends its body cannot be known.
  const bool has_body = body_unknown_ || body_left_ != 0;
  if (!has_body) return true;
  return !awaits_continue_ && !body_unknown_ && body_left_ <= kWorthDiscarding;
}

void Http1Exchange::on_response_interim(http::ResponseHead head) {
  if (!is_current() || head_sent_ || version_minor_ == 0) return;
  if (head.status == 100) return;  // ours alone
  if (wire::ResponseEncoder::interim(head, session_->out_)) session_->schedule();
}

void Http1Exchange::on_response_head(http::ResponseHead head) {
  if (!is_current() || head_sent_) return;
  add_date(head.fields);
  head_sent_ = true;
  if (head.status == 101) return switch_protocols(head);
  awaits_continue_ = awaits_continue_ && !request_ended_;
  const bool sendable = encoder_.head(
      head, {.head_request = head_request_, .version_minor = version_minor_, .keep_alive = may_keep_alive()},
      session_->out_);
  if (!sendable) return session_->send_broken_answer(*this);
  session_->schedule();
}

// Only upstreams answer 101, and only to a handshake.
void Http1Exchange::switch_protocols(const http::ResponseHead& head) {
  if (!upgrade_ || !request_ended_ || !encoder_.switching(head, session_->out_)) {
    return session_->send_broken_answer(*this);
  }
  session_->open_tunnel(*this);
}

void Http1Exchange::on_response_data(std::span<const char> bytes) {
  if (!is_current() || !head_sent_ || ended_ || bytes.empty()) return;
  session_->write_body(*this, bytes);
}

void Http1Exchange::on_response_trailers(http::Fields trailers) {
  if (is_current()) trailers_ = std::move(trailers);
}

void Http1Exchange::on_response_end() {
  if (is_current() && head_sent_ && !ended_) session_->end_response(*this);
}

// The answer was cut off. The client must see that it was: no last chunk, fewer bytes than announced, or no
// clean end.
void Http1Exchange::on_response_reset(pipeline::Cause) {
  if (!is_current() || ended_) return;
  ended_ = true;
  backend_.reset();
  const bool only_the_end_tells = encoder_.framing() == wire::BodyEncoder::Framing::kUntilClose;
  const Ref<Http1Session> session = session_;
  session->flush();
  session->client_gone(only_the_end_tells && !session->stream().is_tls());
}

void Http1Exchange::grant_request(std::size_t bytes) {
  if (!is_current() || request_ended_ || ended_) return;
  credit_ += bytes;
  if (!body_unknown_ && body_left_ == 0) return;
  if (std::exchange(awaits_continue_, false) && !head_sent_) {
    http::ResponseHead go_on;
    go_on.status = 100;
    if (!wire::ResponseEncoder::interim(go_on, session_->out_)) return;
  }
  session_->pump_wanted_ = true;
  session_->schedule();
}

// ---- the connection's side -------------------------------------------------------------------------------

void Http1Session::write_body(Http1Exchange& exchange, std::span<const char> bytes) {
  using Framing = wire::BodyEncoder::Framing;
  if (exchange.encoder_.framing() == Framing::kNone) {
    exchange.ungranted_ += bytes.size();  // of an answer to HEAD; nothing of it is sent
    return schedule();
  }
  const bool as_it_is = exchange.encoder_.framing() != Framing::kChunked;
  if (as_it_is && bytes.size() >= kWorthWriting) {
    if (!exchange.encoder_.sent(bytes.size())) return client_gone(false);
    std::size_t taken = 0;
    if (stream().flushed()) {
      // With the head, where that is still here: one system call, and one TLS record if they fit.
      const std::size_t first = out_.size() - out_at_;
      const auto result = stream().write(std::span(out_).subspan(out_at_), bytes);
      if (result.state == net::Stream::State::kFailed) return client_gone(true);
      if (result.bytes >= first) {
        taken = result.bytes - first;
        out_.clear();
        out_at_ = 0;
      } else {
        out_at_ += result.bytes;
      }
    }
    out_.append(bytes.data() + taken, bytes.size() - taken);
  } else if (!exchange.encoder_.data(bytes, out_)) {
    return client_gone(false);
  }
  exchange.ungranted_ += bytes.size();
  if (phase_ == Phase::kTunnel) input_deadline_.arm(timeouts().tunnel);
  if (!out_.empty() || exchange.ungranted_ >= kGrant) schedule();
}

void Http1Session::end_response(Http1Exchange& exchange) {
  const Ref<Http1Session> self(this);
  const Ref<Http1Exchange> keep(&exchange);
  // Shorter than it announced: the client must not take it for whole.
  if (!exchange.encoder_.end(exchange.trailers_, out_)) {
    exchange.ended_ = true;
    flush();
    return client_gone(false);
  }
  exchange.ended_ = true;
  exchange.backend_.reset();
  flush();
  if (phase_ == Phase::kClosed) return;
  if (exchange.request_ended_) {
    return exchange.encoder_.close() ? end_connection() : next_request();
  }
  const bool has_body = exchange.body_unknown_ || exchange.body_left_ != 0;
  if (phase_ != Phase::kBody || (exchange.encoder_.close() && has_body)) return end_connection();
  phase_ = Phase::kDiscard;
  pump_wanted_ = true;
  if (!pumping_) schedule();
}

// A head that must not be sent: the last defence against response splitting has spoken.
void Http1Session::send_broken_answer(Http1Exchange& exchange) {
  const Ref<Http1Exchange> keep(&exchange);
  const Ref<pipeline::BackendStream> backend = std::exchange(exchange.backend_, nullptr);
  http::ResponseHead head;
  head.status = 502;
  head.close = true;
  const bool sent = exchange.encoder_.head(head, {.version_minor = exchange.version_minor_}, out_);
  exchange.ended_ = true;
  exchange.gone_ = true;
  if (backend) backend->on_request_cancel(pipeline::Cause::kClientGone);
  if (sent) end_connection();
}

void Http1Session::flush() {
  while (out_at_ < out_.size()) {
    const auto result = stream().write(std::span(out_).subspan(out_at_));
    if (result.state == net::Stream::State::kFailed) return client_gone(true);
    if (result.state == net::Stream::State::kWouldBlock) break;
    out_at_ += result.bytes;
    output_deadline_.cancel();  // it moved; armed again below if it stands still
  }
  if (out_at_ == out_.size()) {
    release_memory(out_);
    out_at_ = 0;
    if (stream().flushed()) return output_deadline_.cancel();
  } else if (out_at_ >= kWorthWriting) {
    out_.erase(0, out_at_);
    out_at_ = 0;
  }
  if (!output_deadline_.armed()) output_deadline_.arm(timeouts().stream_idle);
  stream().wait_writable();
}

void Http1Session::on_writable() {
  const Ref<Http1Session> self(this);
  if (phase_ == Phase::kClosed) return;
  output_deadline_.cancel();
  flush();
  if (phase_ == Phase::kLinger && out_.empty()) return end_connection();
  grant_response();
}

void Http1Session::grant_response() {
  if (!exchange_ || exchange_->ended_ || !exchange_->backend_) return;
  const std::size_t waiting = out_.size() - out_at_;
  if (exchange_->ungranted_ < waiting + kGrant) return;
  const std::size_t grant = exchange_->ungranted_ - waiting;
  exchange_->ungranted_ = waiting;
  const Ref<pipeline::BackendStream> backend = exchange_->backend_;
  backend->grant_response(grant);
}

}  // namespace holdfast::listener
