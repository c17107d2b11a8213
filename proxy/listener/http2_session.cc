#include "listener/http2_session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/buffer.h"
#include "crypto/random.h"
#include "http/websocket.h"

namespace holdfast::listener {

namespace {

using State = net::Stream::State;

constexpr std::size_t kPiece = net::Stream::kMaxGather;  // of output, taken from the codec at a time
// Reads, and pieces written, that one connection may make before others have their turn.
constexpr int kFair = 16;
// Between the GOAWAY that refuses nothing and the one that names the last stream: a round trip of a distant
// client. A request that crosses the second one is refused in a way that lets the client try again elsewhere.
constexpr std::chrono::milliseconds kNotice{500};

}  // namespace

Http2Session::Http2Session(Connection& connection)
    : connection_(&connection),
      codec_({.max_head_bytes = connection.limits().max_header_bytes,
              .max_fields = connection.limits().max_headers},
             *this),
      head_deadline_(connection.worker().wheel(), *this, kHead),
      life_deadline_(connection.worker().wheel(), *this, kLife),
      output_deadline_(connection.worker().wheel(), *this, kOutput) {}

void Http2Session::start(std::span<const char> first) {
  const Ref<Http2Session> self(this);
  if (!first.empty()) {
    pumping_ = true;
    receive(first);
    pumping_ = false;
  }
  if (connection_->draining()) begin_end();
  pump();
}

void Http2Session::drain() {
  const Ref<Http2Session> self(this);
  // What the client sent before it could know is served.
  pump();
  begin_end();
  pump();
}

void Http2Session::abandon() {
  const Ref<Http2Session> self(this);
  close(false);
  end_streams();
}

void Http2Session::on_readable() {
  pump();
}

void Http2Session::on_writable() {
  output_deadline_.cancel();
  pump();
}

void Http2Session::schedule() {
  if (pumping_ || turn_posted_ || phase_ == Phase::kClosed) return;
  turn_posted_ = true;
  connection_->worker().post([self = Ref<Http2Session>(this)] {
    self->turn_posted_ = false;
    self->pump();
  });
}

// Hands on, writes and reads, in this order and as far as the client keeps up, until there is nothing left to
// do.
void Http2Session::pump() {
  if (pumping_ || phase_ == Phase::kClosed) return;
  const Ref<Http2Session> self(this);
  pumping_ = true;
  bool more = false;
  bool dry = false;
  // One request begins before others have their turn, for it may dial a backend; after all that was read, so
  // that those which the client has reset by then never do.
  bool begun = false;
  for (int i = 0; phase_ != Phase::kClosed; ++i) {
    more = i == kFair;
    if (more) break;
    if (phase_ == Phase::kLinger) {
      if (!discard()) break;
      continue;
    }
    if (codec_.wants_deliver()) codec_.deliver();
    if (!flush()) break;
    if (codec_.finished()) {
      end_connection();
    } else if (codec_.wants_deliver()) {
      continue;
    } else if (!dry && (allowance_ != 0 || rest_.empty())) {
      dry = !read();
    } else if (rest_.empty() && !begun && codec_.wants_begin()) {
      codec_.begin_request();
      begun = true;
    } else {
      more = !dry || codec_.wants_begin();
      break;
    }
  }
  pumping_ = false;
  allowance_ = wire::kHttp2TurnAllowance;
  if (more) schedule();
  report();
  watch_clocks();
}

// What the client did since the last time, into the listener's metrics.
void Http2Session::report() {
  const wire::Http2Counts& now = codec_.counts();
  if (now == reported_) return;
  ClientTally& tally = connection_->tally();
  tally.count(StreamReset::kMalformed, now.malformed - reported_.malformed);
  tally.count(StreamReset::kRefused, now.refused - reported_.refused);
  tally.count(Excess::kReset, now.resets - reported_.resets);
  tally.count(Excess::kIdleFrame, now.idle_frames - reported_.idle_frames);
  tally.count(Excess::kWindowUpdate, now.window_updates - reported_.window_updates);
  tally.count(Excess::kRepeat, now.repeats - reported_.repeats);
  if (now.calmed != reported_.calmed) tally.count(Close::kFlood);
  if (now.broken != reported_.broken) tally.count(Close::kMalformed);
  reported_ = now;
}

// Gives the codec what it may take in this turn, and keeps the rest for the next.
void Http2Session::receive(std::span<const char> bytes) {
  const std::size_t taken = codec_.receive(bytes, net::Worker::now().steady, allowance_);
  if (taken != bytes.size()) rest_.assign(bytes.begin() + static_cast<std::ptrdiff_t>(taken), bytes.end());
}

// Says whether there was something left of an earlier read.
bool Http2Session::receive_rest() {
  if (rest_.empty()) return false;
  rest_at_ +=
      codec_.receive(std::span<const char>(rest_).subspan(rest_at_), net::Worker::now().steady, allowance_);
  if (rest_at_ == rest_.size()) {
    release_memory(rest_);
    rest_at_ = 0;
  }
  return true;
}

// Says whether something was read.
bool Http2Session::read() {
  if (receive_rest()) return true;
  const std::span<char> buffer = Connection::read_buffer();
  const net::Stream::Result result = stream().read(buffer);
  switch (result.state) {
    case State::kOk:
      receive(buffer.first(result.bytes));
      return true;
    case State::kWouldBlock:
      stream().wait_readable();
      return false;
    case State::kEnd:
      stream().shutdown_write();
      break;
    case State::kFailed:
      break;
  }
  client_gone(false);
  return false;
}

// Says whether all that may be sent now has gone to the kernel.
bool Http2Session::flush() {
  // Shared by the worker's connections: what the client does not take at once is copied out, so that no idle
  // connection holds a piece.
  thread_local std::string piece;
  for (int i = 0; i < kFair; ++i) {
    std::span<const char> left(out_);
    left = left.subspan(out_at_);
    if (left.empty()) {
      release_memory(out_);
      out_at_ = 0;
      if (!stream().flushed()) break;
      piece.clear();
      codec_.take_output(piece, kPiece);
      if (piece.empty()) {
        output_deadline_.cancel();
        return true;
      }
      left = piece;
    }
    const net::Stream::Result result = stream().write(left);
    if (result.state == State::kFailed) {
      client_gone(true);
      return false;
    }
    const std::size_t taken = result.state == State::kOk ? result.bytes : 0;
    if (taken != 0) output_deadline_.cancel();  // it moved; armed again below if it stands still
    if (!out_.empty()) {
      out_at_ += taken;
    } else {
      out_.assign(piece, taken);
    }
    if (result.state == State::kWouldBlock) break;
  }
  if (!output_deadline_.armed()) output_deadline_.arm(connection_->timeouts().stream_idle);
  stream().wait_writable();
  return false;
}

// ---- clocks
// --------------------------------------------------------------------------------------------------------

void Http2Session::watch_clocks() {
  if (phase_ == Phase::kLinger || phase_ == Phase::kClosed) return;
  // A field section must come without another frame between (RFC 9113 4.3): one that stays open stops
  // everything.
  if (codec_.in_head() || !codec_.established()) {
    if (!head_deadline_.armed() || section_ended_) head_deadline_.arm(connection_->timeouts().headers);
  } else {
    head_deadline_.cancel();
  }
  section_ended_ = false;
  if (phase_ == Phase::kEnding) return;
  if (!streams_.empty()) {
    life_deadline_.cancel();
  } else if (!life_deadline_.armed()) {
    life_deadline_.arm(connection_->timeouts().idle);
  }
}

void Http2Session::on_deadline(int which) {
  const Ref<Http2Session> self(this);
  ClientTally& tally = connection_->tally();
  if (which == kOutput) {
    tally.count(Close::kSlowReader);
    return client_gone(true);
  }
  if (which == kHead) {
    tally.count(Close::kHeadersTimeout);
    codec_.terminate(wire::Http2Error::kEnhanceYourCalm);
  } else if (phase_ == Phase::kOpen) {
    tally.count(Close::kIdleTimeout);
    begin_end();
  } else if (phase_ == Phase::kEnding) {
    codec_.end_shutdown();
  } else {
    return client_gone(false);
  }
  pump();
}

// ---- the end
// -------------------------------------------------------------------------------------------------------

void Http2Session::begin_end() {
  if (phase_ != Phase::kOpen) return;
  phase_ = Phase::kEnding;
  codec_.begin_shutdown();
  life_deadline_.arm(kNotice);
}

// Everything is said and written. Waits for the client to end its own side, because a request that crossed
// our GOAWAY would make a close into an RST that overtakes it.
void Http2Session::end_connection() {
  phase_ = Phase::kLinger;
  head_deadline_.cancel();
  stream().shutdown_write();
  life_deadline_.arm(kLingerTime);
  end_streams();
}

bool Http2Session::discard() {
  const net::Stream::Result result = stream().read(Connection::read_buffer());
  if (result.state == State::kOk) return true;
  if (result.state == State::kWouldBlock) {
    stream().wait_readable();
  } else {
    client_gone(false);
  }
  return false;
}

// Each of its streams may have an exchange with a backend that has to end, and others are not to wait for
// all.
void Http2Session::client_gone(bool reset) {
  const Ref<Http2Session> self(this);
  close(reset);
  for (Ref<Http2Stream>& each : std::exchange(streams_, {})) {
    each->over();
    connection_->worker().post_one_of_many(
        [stream = std::move(each)] { stream->cut_off(pipeline::Cause::kClientGone); });
  }
}

void Http2Session::close(bool reset) {
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  head_deadline_.cancel();
  life_deadline_.cancel();
  output_deadline_.cancel();
  release_memory(out_);
  out_at_ = 0;
  connection_->close(reset);
}

void Http2Session::end_streams() {
  for (const Ref<Http2Stream>& each : std::exchange(streams_, {}))
    each->cut_off(pipeline::Cause::kClientGone);
}

// ---- streams
// -------------------------------------------------------------------------------------------------------

Ref<Http2Stream> Http2Session::find(wire::StreamId id) const {
  const auto at = std::lower_bound(
      streams_.begin(), streams_.end(), id,
      [](const Ref<Http2Stream>& each, wire::StreamId sought) { return each->id() < sought; });
  return at != streams_.end() && (*at)->id() == id ? *at : nullptr;
}

Ref<Http2Stream> Http2Session::take(wire::StreamId id) {
  Ref<Http2Stream> found = find(id);
  if (found) std::erase_if(streams_, [&](const Ref<Http2Stream>& each) { return each.get() == found.get(); });
  return found;
}

void Http2Session::reset(Http2Stream& stream, wire::Http2Error error) {
  codec_.reset(stream.id(), error);
  if (const Ref<Http2Stream> taken = take(stream.id())) taken->cut_off(pipeline::Cause::kClientGone);
  schedule();
}

// Streams come in the order of their numbers (RFC 9113 5.1.1).
Ref<Http2Stream> Http2Session::add_stream(wire::StreamId id, const http::RequestHead& head) {
  section_ended_ = true;
  streams_.push_back(make_counted<Http2Stream>(*this, id, head));
  return streams_.back();
}

void Http2Session::on_request_head(wire::StreamId id, http::RequestHead head) {
  const Ref<Http2Stream> stream = add_stream(id, head);
  if (head.method == "CONNECT" && http::is_websocket(head)) {
    std::array<std::uint8_t, 16> nonce;
    std::ranges::copy(crypto::random_bytes(nonce.size()), nonce.begin());
    http::become_upgrade(head, nonce);
  }
  stream->begun(connection_->handler().start(std::move(head), connection_->facts(), stream));
}

void Http2Session::on_request_refused(wire::StreamId id, wire::Fault fault, http::RequestHead head) {
  const Ref<Http2Stream> stream = add_stream(id, head);
  connection_->handler().refuse(std::move(fault.refusal), fault.status, std::move(head), connection_->facts(),
                                stream);
}

void Http2Session::on_request_data(wire::StreamId id, std::span<const char> bytes) {
  if (const Ref<Http2Stream> stream = find(id)) stream->on_request_data(bytes);
}

void Http2Session::on_request_trailers(wire::StreamId id, http::Fields trailers) {
  section_ended_ = true;
  if (const Ref<Http2Stream> stream = find(id)) stream->on_request_trailers(std::move(trailers));
}

void Http2Session::on_request_end(wire::StreamId id) {
  if (const Ref<Http2Stream> stream = find(id)) stream->on_request_end();
}

void Http2Session::on_request_fault(wire::StreamId id, wire::Fault fault) {
  section_ended_ = true;
  if (const Ref<Http2Stream> stream = find(id)) stream->on_request_fault(fault);
}

void Http2Session::on_response_sent(wire::StreamId id, std::size_t bytes) {
  if (const Ref<Http2Stream> stream = find(id)) stream->on_response_sent(bytes);
}

void Http2Session::on_stream_reset(wire::StreamId id, bool malformed) {
  const Ref<Http2Stream> stream = take(id);
  if (stream) stream->cut_off(malformed ? pipeline::Cause::kRequestMalformed : pipeline::Cause::kClientGone);
}

void Http2Session::on_stream_end(wire::StreamId id) {
  if (const Ref<Http2Stream> stream = take(id)) stream->over();
}

}  // namespace holdfast::listener
