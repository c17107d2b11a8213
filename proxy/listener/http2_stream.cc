#include "listener/http2_stream.h"

#include <algorithm>
#include <utility>

#include "answer/grpc.h"
#include "http/grpc_timeout.h"
#include "listener/date.h"
#include "listener/http2_session.h"

namespace holdfast::listener {

namespace {

using wire::Http2Error;

// What an answer that was cut off is reset with. The backend's own NO_ERROR and REFUSED_STREAM do not pass:
// the one would make the answer look whole, and the other as if it could be had again.
Http2Error reset_code(pipeline::Cause cause) {
  switch (cause) {
    case pipeline::Cause::kTokenExpired:
    case pipeline::Cause::kBackendCancelled:
      return Http2Error::kCancel;
    default:
      return Http2Error::kInternalError;
  }
}

}  // namespace

Http2Stream::Http2Stream(Http2Session& session, wire::StreamId id, const http::RequestHead& head)
    : session_(&session),
      id_(id),
      timeouts_(session.connection_->timeouts()),
      input_deadline_(session.connection_->worker().wheel(), *this, kInput),
      output_deadline_(session.connection_->worker().wheel(), *this, kOutput),
      call_deadline_(session.connection_->worker().wheel(), *this, kCall),
      room_(session.response_room().begin()),
      grpc_(answer::is_grpc(head)),
      awaits_continue_(head.expect_continue) {
  if (!grpc_) return;
  if (const auto timeout = http::grpc_timeout(head.fields)) call_deadline_.arm(*timeout);
}

// ---- the request
// ---------------------------------------------------------------------------------------------------

void Http2Stream::begun(Ref<pipeline::BackendStream> backend) {
  if (!backend) return;
  if (gone_) return backend->on_request_cancel(pipeline::Cause::kClientGone);
  if (!ended_) backend_ = std::move(backend);
}

void Http2Stream::on_request_data(std::span<const char> bytes) {
  if (request_ended_) return;
  awaits_continue_ = false;
  credit_ -= std::min(credit_, bytes.size());
  watch_request();
  if (const Ref<pipeline::BackendStream> backend = backend_) backend->on_request_data(bytes);
}

void Http2Stream::watch_request() {
  if (tunnel_) return input_deadline_.arm(timeouts_.tunnel);
  if (credit_ != 0) return input_deadline_.arm(grpc_ ? timeouts_.stream_idle : timeouts_.body_idle);
  input_deadline_.cancel();  // not the client's fault if no more comes: its clock stands still
}

void Http2Stream::on_request_trailers(http::Fields trailers) {
  if (const Ref<pipeline::BackendStream> backend = backend_; backend && !request_ended_) {
    backend->on_request_trailers(std::move(trailers));
  }
}

void Http2Stream::on_request_end() {
  if (std::exchange(request_ended_, true)) return;
  if (!tunnel_) input_deadline_.cancel();
  if (const Ref<pipeline::BackendStream> backend = backend_) backend->on_request_end();
}

void Http2Stream::on_request_fault(const wire::Fault& fault) {
  cancel_request(cause_of(fault));
}

// The body went wrong. The story answers, or resets where an answer has begun.
void Http2Stream::cancel_request(pipeline::Cause cause) {
  if (std::exchange(request_ended_, true)) return;
  input_deadline_.cancel();
  if (const Ref<pipeline::BackendStream> backend = backend_) backend->on_request_cancel(cause);
}

// The client's deadline for all of it, whoever is late.
void Http2Stream::end_call() {
  request_ended_ = true;
  input_deadline_.cancel();
  if (const Ref<pipeline::BackendStream> backend = backend_) {
    backend->on_request_cancel(pipeline::Cause::kDeadlinePassed);
  }
}

void Http2Stream::grant_request(std::size_t bytes) {
  if (over_ || request_ended_ || ended_) return;
  credit_ += bytes;
  if (std::exchange(awaits_continue_, false) && !head_sent_) {
    http::ResponseHead go_on;
    go_on.status = 100;
    if (!session_->codec().send_interim(id_, go_on)) return;
  }
  if (!input_deadline_.armed()) watch_request();
  session_->codec().grant_request(id_, bytes);
  session_->schedule();
}

// ---- the response
// --------------------------------------------------------------------------------------------------

void Http2Stream::on_response_interim(http::ResponseHead head) {
  if (over_ || head_sent_ || head.status == 100) return;  // 100 is ours alone
  if (session_->codec().send_interim(id_, head)) session_->schedule();
}

void Http2Stream::on_response_head(http::ResponseHead head) {
  if (over_ || head_sent_) return;
  add_date(head.fields);
  head_sent_ = true;
  if (head.status == 101) open_tunnel(head);
  body_left_ = head.body;
  if (!session_->codec().send_head(id_, head)) return send_broken_answer();
  session_->schedule();
}

// RFC 8441 5: 200 stands for 101, and the stream's DATA is the tunnel.
void Http2Stream::open_tunnel(http::ResponseHead& head) {
  tunnel_ = true;
  head.status = 200;
  head.body = {http::BodyLength::Kind::kUnknown, 0};
  head.fields.remove("sec-websocket-accept");
  watch_request();
}

void Http2Stream::on_response_data(std::span<const char> bytes) {
  if (over_ || !head_sent_ || ended_ || bytes.empty()) return;
  if (body_left_.kind == http::BodyLength::Kind::kKnown) {
    if (bytes.size() > body_left_.bytes) return session_->reset(*this, Http2Error::kInternalError);
    body_left_.bytes -= bytes.size();
  }
  unsent_ += bytes.size();
  if (tunnel_ || (grpc_ && input_deadline_.armed())) watch_request();
  if (!output_deadline_.armed()) output_deadline_.arm(timeouts_.stream_idle);
  session_->codec().send_data(id_, bytes);
  session_->schedule();
}

void Http2Stream::on_response_trailers(http::Fields trailers) {
  if (!over_ && head_sent_ && !ended_) trailers_ = std::move(trailers);
}

void Http2Stream::on_response_end() {
  if (!head_sent_ || ended_) return;
  ended_ = true;
  backend_.reset();
  if (over_) return;
  input_deadline_.cancel();
  call_deadline_.cancel();
  if (tunnel_ && !request_ended_) input_deadline_.arm(kLingerTime);
  // Shorter than it announced: the client must not take it for whole.
  if (body_left_.kind == http::BodyLength::Kind::kKnown && body_left_.bytes != 0) {
    return session_->reset(*this, Http2Error::kInternalError);
  }
  if (trailers_.empty()) {
    session_->codec().send_end(id_);
  } else {
    session_->codec().send_trailers(id_, trailers_);
  }
  session_->schedule();
}

// The answer was cut off, and the client sees that it was.
void Http2Stream::on_response_reset(pipeline::Cause cause) {
  if (ended_) return;
  ended_ = true;
  backend_.reset();
  if (over_) return;
  session_->reset(*this, reset_code(cause));
}

void Http2Stream::on_response_sent(std::size_t bytes) {
  unsent_ -= std::min(unsent_, bytes);
  if (unsent_ == 0) {
    output_deadline_.cancel();
  } else {
    output_deadline_.arm(timeouts_.stream_idle);
  }
  ungranted_ += bytes;
  // In pieces worth a call, not for every frame.
  if (ungranted_ < room_ / 4) return;
  const Ref<pipeline::BackendStream> backend = backend_;
  if (!backend) return;
  const std::size_t before = std::exchange(room_, session_->response_room().resize(room_, ungranted_));
  const std::size_t grant = ungranted_ + room_ - before;
  ungranted_ = 0;
  if (grant != 0) backend->grant_response(grant);
}

void Http2Stream::give_up_room() {
  if (room_ != 0) session_->response_room().end(std::exchange(room_, 0));
}

// A head that must not be sent: the last defence against a field that means something else to the client has
// spoken.
void Http2Stream::send_broken_answer() {
  ended_ = gone_ = true;
  http::ResponseHead head;
  head.status = 502;
  if (session_->codec().send_head(id_, head)) session_->codec().send_end(id_);
  session_->schedule();
  if (const Ref<pipeline::BackendStream> backend = std::exchange(backend_, nullptr)) {
    backend->on_request_cancel(pipeline::Cause::kClientGone);
  }
}

// ---- the end
// -------------------------------------------------------------------------------------------------------

void Http2Stream::on_deadline(int which) {
  const Ref<Http2Stream> self(this);
  if (which == kCall) return end_call();
  if (which == kInput && !tunnel_) return cancel_request(pipeline::Cause::kRequestTimeout);
  // A tunnel through which nothing moves; or it takes nothing of its answer, though perhaps of others.
  session_->connection_->tally().count(which == kInput ? StreamReset::kTunnelTimeout
                                                       : StreamReset::kSlowReader);
  session_->reset(*this, Http2Error::kCancel);
}

void Http2Stream::over() {
  over_ = true;
  give_up_room();
  input_deadline_.cancel();
  output_deadline_.cancel();
  call_deadline_.cancel();
}

void Http2Stream::cut_off(pipeline::Cause cause) {
  over();
  gone_ = !ended_;
  const Ref<pipeline::BackendStream> backend = std::exchange(backend_, nullptr);
  if (backend && !ended_) backend->on_request_cancel(cause);
}

}  // namespace holdfast::listener
