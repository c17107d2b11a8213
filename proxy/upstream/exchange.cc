#include "upstream/exchange.h"

#include <algorithm>
#include <utility>

#include "base/buffer.h"
#include "http/hop_by_hop.h"
#include "http/websocket.h"

namespace holdfast::upstream {
namespace {

using pipeline::Cause;
using State = net::Stream::State;

constexpr std::size_t kHeldForRetry = 16 * 1024;  // of a request's body
// What is written keeps its memory for what comes next up to this size: uploads come in such pieces.
constexpr std::size_t kKeptBuffer = 16 * 1024;
constexpr std::size_t kReadBeforeHead = 16 * 1024;

// RFC 9110 9.2.2
bool is_idempotent(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS" || method == "TRACE" || method == "PUT" ||
         method == "DELETE";
}

}  // namespace

Exchange::Exchange(Ref<Pool> pool, const pipeline::RouteTimeouts& timeouts, http::RequestHead head,
                   Ref<pipeline::ClientStream> client)
    : pool_(std::move(pool)),
      client_(std::move(client)),
      head_(std::move(head)),
      response_(timeouts.response.value_or(pool_->config().timeouts.response)),
      deadline_(pool_->worker().wheel(), *this),
      credit_(client_->first_credit()),
      idempotent_(is_idempotent(head_.method)),
      upgrade_(http::is_websocket(head_)) {}

Exchange::~Exchange() {
  let_go(false);
}

void Exchange::start() {
  if (needs_http1() && !rule_out_http2_servers()) return fail_soon(Cause::kNoWebSocket);
  find_connection(false);
}

// Says whether any other is left.
bool Exchange::rule_out_http2_servers() {
  for (const Server& server : pool_->config().servers) tried_.push_back(server.http2);
  return std::ranges::find(tried_, false) != tried_.end();
}

void Exchange::fail_soon(Cause cause) {
  pool_->worker().post([self = Ref<Exchange>(this), cause] { self->fail(cause); });
}

// ---- a connection

void Exchange::find_connection(bool fresh) {
  arm(Waiting::kConnection, pool_->config().timeouts.connect);
  switch (pool_->acquire(*this, fresh)) {
    case Pool::Found::kReady:
      // A body is asked for by a call of the client, which does not know us yet.
      if (head_.body.kind == http::BodyLength::Kind::kNone) return begin();
      return begin_soon();
    case Pool::Found::kDialling:
    case Pool::Found::kWaiting:
      return;
    case Pool::Found::kNoServer:
      return fail_soon(Cause::kBackendUnreachable);
    case Pool::Found::kQueueFull:
      return fail_soon(Cause::kOverloaded);
  }
}

void Exchange::count_in(std::size_t server) {
  counted_ = true;
  pool_->state().servers[server].in_flight.fetch_add(1, std::memory_order_relaxed);
  client_->on_backend_chosen(pool_->config().servers[server].name);
}

void Exchange::count_out(std::size_t server) {
  if (!std::exchange(counted_, false)) return;
  pool_->state().servers[server].in_flight.fetch_sub(1, std::memory_order_relaxed);
}

void Exchange::take(Ref<Connection> connection) {
  connection_ = std::move(connection);
  count_in(connection_->server());
}

void Exchange::begin_soon() {
  pool_->worker().post([self = Ref<Exchange>(this)] {
    if (!self->done_) self->begin();
  });
}

void Exchange::on_connected() {
  if (!connection_->speaks_http2()) return begin();
  const Ref<Http2Connection> shared = pool_->adopt(std::move(connection_));
  http2_ = shared;
  shared->start();
  begin_http2();
}

void Exchange::on_connect_failed() {
  find_another(connection_->server());
}

void Exchange::find_another(std::size_t failed_server) {
  const Ref<Exchange> self(this);
  tried_.resize(pool_->config().servers.size(), false);
  tried_[failed_server] = true;
  let_go(false);
  find_connection(false);
}

void Exchange::let_go(bool reusable) {
  deadline_.cancel();
  active_ = false;
  paused_ = false;
  if (http2_) leave_http2(false);
  Ref<Connection> connection = std::move(connection_);
  if (!connection) return;
  count_out(connection->server());
  if (reusable) {
    pool_->release(std::move(connection));
  } else {
    connection->close();
  }
}

// ---- the request

void Exchange::begin() {
  const Ref<Exchange> self(this);
  if (http2_) return begin_http2();
  speaks_http2_ = false;
  if (!encode_held()) return fail(Cause::kRequestMalformed);
  active_ = true;
  deadline_.cancel();
  connection_->decoder().begin(head_.method, upgrade_);
  if (!encoder_.ended() && !std::exchange(body_granted_, true)) {
    // What is there of the body already goes out together with the head, and a body that turns out malformed
    // at once never gets a head sent.
    pumping_ = true;
    client_->grant_request(pipeline::kInitialCredit);
    pumping_ = false;
  }
  if (done_) return;
  pump();
  if (!done_ && connection_) connection_->stream().wait_readable();
}

// Not before there is a connection: until then the head's fields share their bytes with other requests.
bool Exchange::encode_held() {
  encoder_ = {};
  release_memory(out_);
  sent_ = 0;
  left_ = stopped_ = false;
  if (!encoder_.head(head_, out_)) return false;
  if (!held_.empty() && !encoder_.data(held_, out_)) return false;
  return !request_ended_ || encoder_.end(held_trailers_, out_);
}

// What comes without a connection, or while one goes bad, is part of the next attempt.
void Exchange::on_request_data(std::span<const char> bytes) {
  if (done_) return;
  owed_ += bytes.size();
  hold(bytes);
  if (!active_ || stopped_) return;
  if (speaks_http2_) return send_http2(bytes);
  if (tunnel_) {
    out_.append(bytes.data(), bytes.size());
  } else if (!encoder_.data(bytes, out_)) {
    return fail(Cause::kRequestMalformed);
  }
  pump();
}

void Exchange::hold(std::span<const char> bytes) {
  // Between two attempts all that comes is held; it is no more than was granted.
  if (whole_ && (!active_ || held_.size() + bytes.size() <= kHeldForRetry)) {
    held_.append(bytes.data(), bytes.size());
  } else {
    forget_request();
  }
}

// The request will not be sent again.
void Exchange::forget_request() {
  whole_ = false;
  release_memory(held_);
}

void Exchange::on_request_trailers(http::Fields trailers) {
  if (done_) return;
  held_trailers_ = std::move(trailers);
  on_request_end();
}

void Exchange::on_request_end() {
  if (done_ || std::exchange(request_ended_, true) || !active_ || stopped_) return;
  if (speaks_http2_) {
    http2_->send_end(stream_, held_trailers_);
    return watch_http2();
  }
  if (!upgrade_ && !encoder_.end(held_trailers_, out_)) return fail(Cause::kRequestMalformed);
  pump();
}

void Exchange::on_request_cancel(Cause cause) {
  if (std::exchange(done_, true)) return;
  const Ref<Exchange> self(this);
  if (cause == Cause::kDeadlinePassed && stream_ != 0 && !answer_began_) http2_->doubt();
  const Ref<pipeline::ClientStream> client = std::move(client_);
  pool_->stop_waiting(*this);
  // Nothing of the request was sent: the connection is as good as before.
  let_go(active_ && !left_);
}

// Writes what can be written and grants the client as much as went out; the client may send more from inside
// the grant, so this goes round instead of nesting.
void Exchange::pump() {
  if (!active_ || std::exchange(pumping_, true)) return;
  const Ref<Exchange> self(this);
  while (!done_ && active_ && write_out() && owed_ != 0) client_->grant_request(std::exchange(owed_, 0));
  pumping_ = false;
}

// false: not all is written, or it never will be.
bool Exchange::write_out() {
  net::Stream& stream = connection_->stream();
  const bool moves = !stopped_ && sent_ != out_.size();
  while (!stopped_ && sent_ != out_.size()) {
    const net::Stream::Result result = stream.write({out_.data() + sent_, out_.size() - sent_});
    if (result.state == State::kOk) {
      sent_ += result.bytes;
      left_ = true;
    } else if (result.state == State::kWouldBlock) {
      stream.wait_writable();
      arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
      return false;
    } else {
      // It may have answered before it closed: reading tells.
      stopped_ = true;
      stream.wait_readable();
    }
  }
  if (left_ && !idempotent_) forget_request();
  if (!stopped_) {
    out_.clear();
    sent_ = 0;
    if (out_.capacity() > kKeptBuffer || request_ended_) release_memory(out_);
  }
  if (tunnel_ && request_ended_ && !stopped_) stream.shutdown_write();
  if (head_seen_) {
    // An answer may rest while the request moves; and a client that takes nothing of it is not the backend's
    // fault.
    if (paused_) {
      deadline_.cancel();
    } else if (moves) {
      arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
    }
  } else if (encoder_.ended() || stopped_) {
    arm(Waiting::kBackend, response_);
  } else {
    deadline_.cancel();  // it is the client that is waited for
  }
  return !stopped_;
}

void Exchange::on_connection_writable() {
  pump();
}

// ---- the response

void Exchange::grant_response(std::size_t bytes) {
  if (done_) return;
  credit_ += bytes;
  if (stream_ != 0) {
    http2_->grant_response(stream_, bytes);
    return watch_http2();
  }
  if (!paused_) return;
  paused_ = false;
  connection_->stream().wait_readable();
  arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
}

void Exchange::on_connection_readable() {
  const Ref<Exchange> self(this);
  if (!active_) {  // a kept connection that went bad before the request went out
    let_go(false);
    return find_connection(true);
  }
  read();
}

void Exchange::read() {
  std::size_t turn = kReadPerTurn;
  const Ref<Connection> connection =
      connection_;  // its decoder and stream outlive what the client may do meanwhile
  while (!done_ && connection_.get() == connection.get()) {
    const std::span<char> scratch = pool_->scratch();
    const std::size_t room =
        std::min({scratch.size(), head_seen_ ? credit_ : std::min(credit_, kReadBeforeHead), turn});
    if (room == 0) {
      if (turn == 0) return connection->stream().wait_readable();
      paused_ = true;
      if (sent_ == out_.size()) deadline_.cancel();  // it is the client that is waited for
      return;
    }
    const net::Stream::Result result = connection->stream().read(scratch.first(room));
    switch (result.state) {
      case State::kOk:
        turn -= result.bytes;
        feed(scratch.first(result.bytes));
        break;
      case State::kWouldBlock:
        return connection->stream().wait_readable();
      case State::kEnd:
        if (connection->decoder().finish().event == wire::Event::kEnd) return finish(true);
        return on_broken();
      case State::kFailed:
        return on_broken();
    }
  }
}

void Exchange::feed(std::span<const char> bytes) {
  wire::ResponseDecoder& decoder = connection_->decoder();
  while (!done_) {
    const wire::Step step = decoder.feed(bytes);
    bytes = bytes.subspan(step.consumed);
    switch (step.event) {
      case wire::Event::kNeedMore:
        if (head_seen_) arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
        return;
      case wire::Event::kInterim: {
        http::ResponseHead head = decoder.take_head();
        // 100 answers an Expect that was never passed on.
        if (head.status == 100) break;
        http::remove_hop_by_hop(head.fields);
        client_->on_response_interim(std::move(head));
        break;
      }
      case wire::Event::kHead:
        on_head();
        break;
      case wire::Event::kData:
        credit_ -= std::min(credit_, step.data.size());
        client_->on_response_data(step.data);
        break;
      case wire::Event::kEnd:
        return finish(!bytes.empty());
      case wire::Event::kFault:
        return on_broken();
    }
  }
}

void Exchange::on_head() {
  http::ResponseHead head = connection_->decoder().take_head();
  head_seen_ = true;
  if (head.status == 101) return open_tunnel(std::move(head));
  // To a client of HTTP/2 any success opens the tunnel (RFC 8441 5): it would read the answer's body as
  // frames.
  if (upgrade_ && head_.version_major >= 2 && head.status < 300) return fail(Cause::kWebSocketIgnored);
  forget_request();
  head_ = {};
  close_after_ =
      std::exchange(head.close, false);  // of the backend's connection, which is no concern of the client's
  arm(Waiting::kBackend, pool_->config().timeouts.body_idle);
  http::remove_hop_by_hop(head.fields);
  client_->on_response_head(std::move(head));
}

// The bytes that follow belong to no message of ours: nothing of them is sent twice, and how long they may
// rest is the client's side to say.
void Exchange::open_tunnel(http::ResponseHead head) {
  if (!http::accepts_websocket(head, head_.fields.find("sec-websocket-key").value_or(std::string_view()))) {
    return fail(Cause::kBackendBroken);
  }
  tunnel_ = close_after_ = true;
  forget_request();
  head_ = {};
  deadline_.cancel();
  http::remove_hop_by_hop(head.fields);
  client_->on_response_head(std::move(head));
  if (done_) return;
  client_->grant_request(pipeline::kInitialCredit);
  pump();
}

// The response is complete. One that came before the request's end ends the exchange all the same: what is
// left of the request is not sent, and the connection not kept.
void Exchange::finish(bool stray) {
  done_ = true;
  const bool request_sent = encoder_.ended() && !encoder_.close() && sent_ == out_.size() && !stopped_;
  http::Fields trailers = connection_->decoder().take_trailers();
  const Ref<pipeline::ClientStream> client = std::move(client_);
  let_go(request_sent && !close_after_ && !stray);
  if (!trailers.empty()) client->on_response_trailers(std::move(trailers));
  client->on_response_end();
}

// ---- failures

bool Exchange::may_retry() const {
  return whole_ && !connection_->decoder().began() && retries_ < pool_->config().max_retries;
}

void Exchange::on_broken() {
  if (!may_retry()) return fail(Cause::kBackendBroken);
  ++retries_;
  let_go(false);
  find_connection(true);
}

void Exchange::fail(Cause cause) {
  if (std::exchange(done_, true)) return;
  const Ref<Exchange> self(this);
  const Ref<pipeline::ClientStream> client = std::move(client_);
  let_go(false);
  client->on_response_reset(cause);
}

void Exchange::arm(Waiting what, std::chrono::milliseconds after) {
  if (tunnel_) return;
  waiting_for_ = what;
  deadline_.arm(after);
}

void Exchange::on_deadline(int /*which*/) {
  if (done_) return;
  const Ref<Exchange> self(this);
  if (waiting_for_ != Waiting::kConnection) {
    if (stream_ != 0) http2_->doubt();
    return fail(Cause::kBackendTimeout);
  }
  if (connection_) return on_connect_failed();
  if (http2_) return on_http2_failed();
  pool_->stop_waiting(*this);
  fail(Cause::kOverloaded);  // all connections were in use
}

}  // namespace holdfast::upstream
