// An exchange over a stream of a shared HTTP/2 connection. See exchange.h.
#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "http/hop_by_hop.h"
#include "upstream/exchange.h"

namespace holdfast::upstream {
namespace {

using pipeline::Cause;
using wire::Http2Failure;

// Servers that are replaced one after the other send a request on a few times; one that does nothing else
// would do so for ever.
constexpr unsigned kMaxGoaways = 5;

Cause cause_of(Http2Failure failure) {
  if (failure == Http2Failure::kCancelled) return Cause::kBackendCancelled;
  return failure == Http2Failure::kExhausted ? Cause::kBackendExhausted : Cause::kBackendBroken;
}

}  // namespace

// ---- a connection

void Exchange::join(Ref<Http2Connection> connection) {
  http2_ = std::move(connection);
  count_in(http2_->server());
}

void Exchange::on_http2_ready() {
  if (!done_) begin_http2();
}

void Exchange::on_http2_failed() {
  if (!done_) find_another(http2_->server());
}

void Exchange::on_http2_refused() {
  if (done_) return;
  const Ref<Exchange> self(this);
  let_go(false);
  find_connection(false);
}

void Exchange::leave_http2(bool ended) {
  const Ref<Http2Connection> connection = std::exchange(http2_, nullptr);
  count_out(connection->server());
  if (const wire::StreamId stream = std::exchange(stream_, 0); stream != 0) {
    connection->leave(stream, ended);
  } else {
    connection->stop_waiting(*this);
  }
}

// ---- the request

void Exchange::begin_http2() {
  const Ref<Exchange> self(this);
  if (needs_http1()) return fail(Cause::kBackendBroken);  // its server chose what was not offered
  if (!http2_->has_room()) return on_http2_refused();
  if (http2_->is_congested()) {
    // Its server reads too little: that is a slow answer, not a lack of connections.
    arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
    return http2_->wait(*this);
  }
  speaks_http2_ = active_ = true;
  stopped_ = false;
  release_memory(out_);
  deadline_.cancel();
  request_done_ = false;
  stream_ = http2_->open(head_, *this);
  if (stream_ == 0) return fail(Cause::kRequestMalformed);
  http2_->grant_response(stream_, credit_);
  buffered_ = held_.size();
  if (!held_.empty()) http2_->send_data(stream_, held_);
  const bool wants_body = head_.body.kind != http::BodyLength::Kind::kNone && !request_ended_;
  if (request_ended_) http2_->send_end(stream_, held_trailers_);
  if (wants_body && !std::exchange(body_granted_, true)) client_->grant_request(pipeline::kInitialCredit);
  watch_http2();
}

void Exchange::send_http2(std::span<const char> bytes) {
  buffered_ += bytes.size();
  http2_->send_data(stream_, bytes);
  watch_http2();
}

// What is sent again after a retry was granted again already.
void Exchange::on_http2_sent(std::size_t bytes) {
  if (done_) return;
  const Ref<Exchange> self(this);
  buffered_ -= bytes;
  const std::size_t grant = std::min(bytes, owed_);
  owed_ -= grant;
  if (grant != 0) client_->grant_request(grant);
  watch_http2();
}

void Exchange::on_http2_request_done() {
  if (done_) return;
  request_done_ = true;
  watch_http2();
}

// Whose turn it is: the deadline runs while it is the server's.
void Exchange::watch_http2() {
  if (done_ || stream_ == 0) return;
  const bool to_send = !request_done_ && (buffered_ != 0 || request_ended_);
  if (!head_seen_ && request_done_) {
    if (waiting_for_ != Waiting::kAnswer || !deadline_.armed()) arm(Waiting::kAnswer, response_);
  } else if (to_send || (head_seen_ && credit_ != 0)) {
    arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
  } else {
    deadline_.cancel();  // it is the client that is waited for
  }
}

// ---- the response

void Exchange::on_http2_interim(http::ResponseHead head) {
  if (done_) return;
  answer_began_ = true;
  // 100 answers an Expect that was never passed on.
  if (head.status == 100) return;
  http::remove_hop_by_hop(head.fields);
  client_->on_response_interim(std::move(head));
}

void Exchange::on_http2_head(http::ResponseHead head) {
  if (done_) return;
  const Ref<Exchange> self(this);
  answer_began_ = true;
  head_seen_ = true;
  forget_request();
  head_ = {};
  watch_http2();
  http::remove_hop_by_hop(head.fields);
  client_->on_response_head(std::move(head));
}

void Exchange::on_http2_data(std::span<const char> bytes) {
  if (done_) return;
  const Ref<Exchange> self(this);
  credit_ -= std::min(credit_, bytes.size());
  watch_http2();
  client_->on_response_data(bytes);
}

void Exchange::on_http2_trailers(http::Fields trailers) {
  trailers_ = std::move(trailers);
}

// One that came before the request's end ends the exchange all the same.
void Exchange::on_http2_end() {
  if (std::exchange(done_, true)) return;
  const Ref<Exchange> self(this);
  const Ref<pipeline::ClientStream> client = std::move(client_);
  leave_http2(request_done_);
  let_go(false);
  if (!trailers_.empty()) client->on_response_trailers(std::move(trailers_));
  client->on_response_end();
}

void Exchange::on_http2_reset(Http2Failure failure) {
  if (done_) return;
  const Ref<Exchange> self(this);
  stream_ = 0;
  const bool untouched = failure == Http2Failure::kNotProcessed;
  const bool gone = failure == Http2Failure::kReset || failure == Http2Failure::kCancelled;
  const bool may_be_again = untouched || (gone && idempotent_);
  if (!may_be_again || answer_began_ || !whole_) return fail(cause_of(failure));
  if (untouched && http2_->is_closing() && goaways_ < kMaxGoaways) {
    ++goaways_;
  } else if (retries_ < pool_->config().max_retries) {
    ++retries_;
  } else {
    return fail(cause_of(failure));
  }
  let_go(false);
  find_connection(!untouched);
}

}  // namespace holdfast::upstream
