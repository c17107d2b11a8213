#include "upstream/http2_connection.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/buffer.h"
#include "upstream/exchange.h"
#include "upstream/pool.h"

namespace holdfast::upstream {
namespace {

using State = net::Stream::State;
using namespace std::chrono_literals;

constexpr std::size_t kOutput = 64 * 1024;       // gathered for one write
constexpr std::size_t kUnsentHeads = 64 * 1024;  // the codec's copies of them, but for one more
// How long a connection that takes nothing any more may still say why.
constexpr std::chrono::milliseconds kLastWords{1000};
enum Which : int { kIdle, kWrite };

wire::Http2Limits limits_of(const Config& config) {
  return {.max_head_bytes = config.limits.max_head_bytes,
          .max_fields = config.limits.max_fields,
          .max_streams = config.max_streams};
}

}  // namespace

Http2Connection::Http2Connection(Ref<Pool> pool, Ref<Connection> connection)
    : pool_(std::move(pool)),
      connection_(std::move(connection)),
      codec_(limits_of(pool_->config()), pool_->config().servers[connection_->server()].tls, *this),
      idle_deadline_(pool_->worker().wheel(), *this, kIdle),
      write_deadline_(pool_->worker().wheel(), *this, kWrite) {}

Http2Connection::~Http2Connection() {
  connection_->close();
}

// ---- becoming a connection

void Http2Connection::dial(const net::Endpoints& endpoints, std::size_t first) {
  connection_->dial(*this, endpoints, first, pool_->config().timeouts.connect);
}

void Http2Connection::on_connected() {
  const Ref<Http2Connection> self(this);
  if (!connection_->speaks_http2()) {
    // Its server has changed its mind since it was last asked.
    lost_ = true;
    connection_->close();
    pool_->drop(*this);
    pool_->expect_http1(server());
    return release_waiting(false);
  }
  start();
}

void Http2Connection::on_connect_failed() {
  const Ref<Http2Connection> self(this);
  lost_ = true;
  pool_->drop(*this);
  release_waiting(true);
}

void Http2Connection::start() {
  const Ref<Http2Connection> self(this);
  connection_->set_user(*this);
  up_ = true;
  for (const Ref<Exchange>& exchange : std::exchange(waiting_, {})) exchange->on_http2_ready();
  connection_->stream().wait_readable();
  settle();
  schedule();
}

void Http2Connection::wait(Exchange& exchange) {
  waiting_.emplace_back(&exchange);
}

void Http2Connection::stop_waiting(Exchange& exchange) {
  std::erase_if(waiting_, [&](const Ref<Exchange>& other) { return other.get() == &exchange; });
}

void Http2Connection::release_waiting(bool failed) {
  for (const Ref<Exchange>& exchange : std::exchange(waiting_, {})) {
    if (failed) {
      exchange->on_http2_failed();
    } else {
      exchange->on_http2_refused();
    }
  }
}

bool Http2Connection::has_room() const {
  if (lost_ || closing_) return false;
  return up_ ? codec_.may_open(waiting_.size()) : waiting_.size() < pool_->config().max_streams;
}

bool Http2Connection::is_congested() const {
  return codec_.unsent_heads() >= kUnsentHeads;
}

// Those who waited for others' heads to be written, in the order they came.
void Http2Connection::admit_waiting() {
  if (!up_ || waiting_.empty()) return;
  if (is_closing()) return release_waiting(false);
  while (!waiting_.empty() && !is_closing() && !is_congested()) {
    const Ref<Exchange> next = std::move(waiting_.front());
    waiting_.erase(waiting_.begin());
    next->on_http2_ready();
  }
}

// ---- exchanges

wire::StreamId Http2Connection::open(const http::RequestHead& head, Exchange& exchange) {
  if (lost_) return 0;
  const wire::StreamId stream = codec_.send_head(head);
  if (stream == 0) return 0;
  exchanges_.emplace(stream, Ref<Exchange>(&exchange));
  idle_deadline_.cancel();
  schedule();
  return stream;
}

void Http2Connection::send_data(wire::StreamId stream, std::span<const char> bytes) {
  codec_.send_data(stream, bytes);
  schedule();
}

void Http2Connection::send_end(wire::StreamId stream, const http::Fields& trailers) {
  codec_.send_trailers(stream, trailers);
  schedule();
}

void Http2Connection::grant_response(wire::StreamId stream, std::size_t bytes) {
  codec_.grant_response(stream, bytes);
  schedule();
}

void Http2Connection::leave(wire::StreamId stream, bool ended) {
  if (!ended) codec_.reset(stream, wire::Http2Error::kCancel);
  exchanges_.erase(stream);
  settle();
  schedule();
}

void Http2Connection::doubt() {
  if (lost_) return;
  codec_.ping();
  schedule();
}

Ref<Exchange> Http2Connection::find(wire::StreamId stream) const {
  const auto found = exchanges_.find(stream);
  return found == exchanges_.end() ? nullptr : found->second;
}

void Http2Connection::on_response_interim(wire::StreamId stream, http::ResponseHead head) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_interim(std::move(head));
}
void Http2Connection::on_response_head(wire::StreamId stream, http::ResponseHead head) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_head(std::move(head));
}
void Http2Connection::on_response_data(wire::StreamId stream, std::span<const char> bytes) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_data(bytes);
}
void Http2Connection::on_response_trailers(wire::StreamId stream, http::Fields trailers) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_trailers(std::move(trailers));
}
void Http2Connection::on_response_end(wire::StreamId stream) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_end();
}
void Http2Connection::on_request_sent(wire::StreamId stream, std::size_t bytes) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_sent(bytes);
}
void Http2Connection::on_request_done(wire::StreamId stream) {
  if (const Ref<Exchange> exchange = find(stream)) exchange->on_http2_request_done();
}
void Http2Connection::on_stream_reset(wire::StreamId stream, wire::Http2Failure failure) {
  const Ref<Exchange> exchange = find(stream);
  exchanges_.erase(stream);
  if (exchange) exchange->on_http2_reset(failure);
  settle();
}
void Http2Connection::on_stream_end(wire::StreamId stream) {
  exchanges_.erase(stream);
  settle();
}

// ---- bytes

// Called from inside the other sides' calls, reading and writing wait for the end of the loop's turn: calls
// do not nest, and what many exchanges sent leaves in one piece.
void Http2Connection::schedule() {
  if (!up_ || std::exchange(turn_posted_, true)) return;
  pool_->worker().post([self = Ref<Http2Connection>(this)] { self->turn(); });
}

void Http2Connection::turn() {
  turn_posted_ = false;
  with_codec([this] { codec_.deliver(); });
  flush();
  admit_waiting();
}

template <typename Call>
void Http2Connection::with_codec(Call call) {
  busy_ = true;
  call();
  busy_ = false;
}

void Http2Connection::on_connection_readable() {
  const Ref<Http2Connection> self(this);
  read();
  flush();
  admit_waiting();
}

void Http2Connection::read() {
  std::size_t turn = kReadPerTurn;
  while (!lost_) {
    if (turn == 0) return connection_->stream().wait_readable();
    const std::span<char> room = pool_->scratch();
    const net::Stream::Result result = connection_->stream().read(room.first(std::min(room.size(), turn)));
    if (result.state == State::kWouldBlock) return connection_->stream().wait_readable();
    if (result.state != State::kOk) return lose();
    turn -= result.bytes;
    const bool doubted = codec_.awaits_ping();
    with_codec([&] { codec_.receive(room.first(result.bytes), net::Worker::now().steady); });
    if (doubted && !codec_.awaits_ping()) settle();
  }
}

void Http2Connection::flush() {
  const Ref<Http2Connection> self(this);
  while (!lost_) {
    if (out_at_ == out_.size()) {
      out_.clear();
      out_at_ = 0;
      if (!codec_.wants_output()) break;
      with_codec([this] { codec_.take_output(out_, kOutput); });
      continue;
    }
    const auto result = connection_->stream().write(std::span(out_).subspan(out_at_));
    if (result.state == State::kFailed) {
      // A GOAWAY may be there that says what was not processed.
      write_deadline_.arm(kLastWords);
      return read();
    }
    if (result.state != State::kOk) {
      if (!write_deadline_.armed()) write_deadline_.arm(pool_->config().timeouts.body_idle);
      return connection_->stream().wait_writable();
    }
    out_at_ += result.bytes;
    write_deadline_.cancel();
  }
  if (lost_) return;
  release_memory(out_);
  if (codec_.finished() || closing_) lose();
}

void Http2Connection::on_connection_writable() {
  const Ref<Http2Connection> self(this);
  write_deadline_.cancel();
  flush();
  admit_waiting();
}

// ---- the end

// The connection is gone. Answers that came whole are still handed out.
void Http2Connection::lose() {
  if (std::exchange(lost_, true)) return;
  const Ref<Http2Connection> self(this);
  idle_deadline_.cancel();
  write_deadline_.cancel();
  connection_->close();
  pool_->drop(*this);
  with_codec([this] { codec_.lose_connection(); });
  if (up_) release_waiting(false);
}

void Http2Connection::close() {
  if (lost_ || std::exchange(closing_, true)) return;
  const Ref<Http2Connection> self(this);
  if (up_ && exchanges_.empty()) codec_.terminate(wire::Http2Error::kNoError);
  if (busy_) return schedule();
  flush();
  lose();
}

// A stream has ended: somebody else may want its place, or nobody wants the connection.
void Http2Connection::settle() {
  if (lost_ || closing_) return;
  pool_->offer(*this);
  if (is_idle()) idle_deadline_.arm(pool_->keeps_idle() ? pool_->config().timeouts.idle : 0ms);
}

void Http2Connection::on_deadline(int which) {
  const Ref<Http2Connection> self(this);
  if (which == kWrite) return lose();
  if (is_idle()) close();
}

}  // namespace holdfast::upstream
