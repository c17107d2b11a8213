#include "wire/http2_session.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "base/buffer.h"
#include "wire/http2_fields.h"

namespace holdfast::wire {
namespace {

constexpr std::size_t kShrinkAt = 4096;
// What a field and an octet of the target cost the story besides their own bytes: a place among the fields,
// and copies for the log and for the target's one form.
constexpr std::size_t kFieldCost = 48;
constexpr std::size_t kTargetCost = 2;

}  // namespace

void Http2Session::consume(std::string& buffer, std::size_t& at, std::size_t bytes) {
  at += bytes;
  if (at == buffer.size()) {
    buffer.clear();
    if (buffer.capacity() > kShrinkAt) release_memory(buffer);
    at = 0;
  } else if (at >= kShrinkAt && at >= buffer.size() / 2) {
    buffer.erase(0, at);
    at = 0;
  }
}

Http2Session::~Http2Session() {
  nghttp2_session_del(session_);
}

// ---- streams

Http2Stream* Http2Session::find_any(StreamId id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : found->second.get();
}

Http2Stream* Http2Session::find(StreamId id) const {
  Http2Stream* const stream = find_any(id);
  return stream == nullptr || stream->over || stream->waiting ? nullptr : stream;
}

Http2Stream& Http2Session::add(StreamId id) {
  return *(streams_[id] = std::make_unique<Http2Stream>(id));
}

void Http2Session::tell(Http2Stream& stream) {
  if (!std::exchange(stream.told, true)) ++open_;
}

// libnghttp2 has closed it, or the connection is over.
void Http2Session::close(StreamId id, Http2Error error) {
  const auto found = streams_.find(id);
  if (found == streams_.end() || found->second->closed) return;
  Http2Stream& stream = *found->second;
  if (role_ == Role::kClient && stream.in_ended && !stream.in_told && !stream.over) {
    // An answer is whole once it is here, however slowly the client takes it.
    stream.closed = true;
    ++closed_;
    return;
  }
  const std::unique_ptr<Http2Stream> last = std::move(found->second);
  streams_.erase(found);
  end(*last, error);
}

void Http2Session::hold_unsent_head(Http2Stream& stream, std::size_t bytes) {
  stream.unsent_head = bytes;
  unsent_heads_ += bytes;
}

void Http2Session::let_go_of_head(Http2Stream& stream) {
  unsent_heads_ -= std::exchange(stream.unsent_head, 0);
}

void Http2Session::end(Http2Stream& stream, Http2Error error) {
  head_cost_ -= stream.head_cost;
  let_go_of_head(stream);
  drop_held(stream);
  settle_window();
  if (std::exchange(stream.over, true)) return;
  if (role_ == Role::kServer && stream.out_done && stream.in_ended) budget_.on_stream_end();
  on_closed(stream, error);
  if (stream.told) --open_;
}

void Http2Session::close_all(Http2Error error) {
  std::vector<StreamId> ids;
  ids.reserve(streams_.size());
  for (const auto& [id, stream] : streams_) ids.push_back(id);
  for (const StreamId id : ids) close(id, error);
}

// Lets go of streams that were kept for what they held.
void Http2Session::sweep() {
  if (closed_ == 0) return;
  std::vector<std::unique_ptr<Http2Stream>> done;
  for (auto at = streams_.begin(); at != streams_.end();) {
    const Http2Stream& stream = *at->second;
    if (stream.closed && (stream.in_told || stream.over)) {
      done.push_back(std::move(at->second));
      at = streams_.erase(at);
    } else {
      ++at;
    }
  }
  closed_ -= done.size();
  for (const auto& stream : done) end(*stream, Http2Error::kNoError);
}

void Http2Session::reset(StreamId id, Http2Error error) {
  Http2Stream* const stream = find(id);
  if (stream == nullptr) return;
  stream->over = true;
  if (stream->told) --open_;
  stop_input(*stream);
  if (stream->closed) return;  // goes at the next sweep
  nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, static_cast<std::uint32_t>(error));
}

// false: it would be more than a peer may have us hold, and the stream is refused: it may be sent again.
bool Http2Session::afford_head(Http2Stream& stream) {
  const Http2Section& section = stream.section;
  const std::size_t cost = kFieldCost * section.fields.size() + kTargetCost * section.path.size();
  if (head_cost_ + cost <= kHttp2HeadCost) {
    stream.head_cost = cost;
    head_cost_ += cost;
    return true;
  }
  refuse(stream);
  return false;
}

// The same, of the section that has just ended.
bool Http2Session::afford_repeats(Http2Stream& stream) {
  if (budget_.afford_repeats(section_, section_wire_, counts_)) return true;
  refuse(stream);
  return false;
}

void Http2Session::refuse(Http2Stream& stream) {
  ++counts_.refused;
  budget_.on_refused();
  reset(stream.id, Http2Error::kRefusedStream);
}

// ---- in

std::size_t Http2Session::receive(std::span<const char> bytes, SteadyTime now, std::size_t& allowance) {
  budget_.advance(now);
  std::size_t taken = 0;
  do {
    taken += receive_some(bytes.subspan(taken), allowance);
  } while (taken != bytes.size() && allowance != 0 && !over_);
  check_over();
  return over_ ? bytes.size() : taken;
}

void Http2Session::receive(std::span<const char> bytes, SteadyTime now) {
  std::size_t unbounded = std::numeric_limits<std::size_t>::max();
  (void)receive(bytes, now, unbounded);
}

// Up to the end of a frame of a field section, or of the one with which the allowance is used up.
std::size_t Http2Session::receive_some(std::span<const char> bytes, std::size_t& allowance) {
  bool in_order = true;
  bytes = bytes.first(frames_.read(bytes, [&](const Http2FrameHead& head) {
    budget_.on_received(head, counts_);
    if (is_stray(head)) budget_.on_stray(counts_);
    if (head.type == Http2FrameType::kHeaders) section_wire_ = 0;
    if (frames_.in_field_section()) section_wire_ += head.length;
    if (role_ == Role::kServer && head.type == Http2FrameType::kHeaders) {
      in_order = order_.on_headers(head.stream) && in_order;
    }
    if (allowance != 0) --allowance;
    return allowance != 0 && !frames_.in_field_section();
  }));
  if (over_) return bytes.size();
  if (!in_order) {
    terminated_ = true;
    counts_.broken = 1;
    nghttp2_session_terminate_session(session_, NGHTTP2_PROTOCOL_ERROR);
  } else if (budget_.used_up()) {
    calm();
  } else {
    feed(bytes);
  }
  // HPACK makes much of few octets.
  allowance -= std::min(allowance, std::exchange(decoded_, 0) / kHttp2DecodedPerFrame);
  return bytes.size();
}

void Http2Session::feed(std::span<const char> bytes) {
  const auto result =
      nghttp2_session_mem_recv(session_, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (result == NGHTTP2_ERR_FLOODED || result == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS) {
    ++counts_.calmed;
    give_up(Http2Error::kEnhanceYourCalm);
  } else if (result < 0) {
    counts_.broken = 1;
    give_up(result == NGHTTP2_ERR_BAD_CLIENT_MAGIC ? Http2Error::kProtocolError : Http2Error::kInternalError);
  } else if (budget_.used_up()) {
    calm();
  }
}

// Of a stream that was and is no more.
bool Http2Session::is_stray(const Http2FrameHead& head) const {
  if (head.type != Http2FrameType::kData && head.type != Http2FrameType::kHeaders) return false;
  const auto id = static_cast<StreamId>(head.stream);
  const StreamId last = role_ == Role::kServer
                            ? last_peer_stream_
                            : static_cast<StreamId>(nghttp2_session_get_next_stream_id(session_)) - 1;
  return id <= last && find_any(id) == nullptr;
}

// libnghttp2 cannot go on with this connection.
void Http2Session::give_up(Http2Error error) {
  over_ = true;
  goaway_ = error;
}

void Http2Session::calm() {
  if (counts_.calmed != 0 || over_) return;
  ++counts_.calmed;
  terminated_ = true;
  nghttp2_session_terminate_session(session_, NGHTTP2_ENHANCE_YOUR_CALM);
}

void Http2Session::ping() {
  if (over_ || std::exchange(ping_sent_, true)) return;
  nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr);
}

void Http2Session::terminate(Http2Error error) {
  if (std::exchange(terminated_, true)) return;
  for (const auto& [id, stream] : streams_) stream->over = true;
  open_ = 0;
  if (over_) return;
  nghttp2_session_terminate_session(session_, static_cast<std::uint32_t>(error));
}

void Http2Session::lose_connection() {
  over_ = true;
  goaway_.reset();
  check_over();
}

// After a fault of the connection its streams are nobody's any more.
void Http2Session::check_over() {
  if (over_ || reading_ended()) close_all(Http2Error::kNoError);
}

void Http2Session::take_data(Http2Stream& stream, std::span<const char> bytes) {
  if (stream.over || stream.in_stopped) return;
  stream.body_bytes += bytes.size();
  // A tunnel's bytes are no body.
  if (stream.body_bytes > limits_.max_body_bytes && !stream.tunnel) {
    stop_input(stream);
    return on_too_large(stream);
  }
  const std::size_t passed = stream.held.empty() ? std::min(stream.credit, bytes.size()) : 0;
  if (passed < bytes.size()) {
    append_tightly(stream.held, bytes.subspan(passed));
    held_ += bytes.size() - passed;
  }
  if (passed == 0) return;
  stream.credit -= passed;
  on_data(stream, bytes.first(passed));
  consumed(stream, passed);
}

void Http2Session::consumed(const Http2Stream& stream, std::size_t bytes) {
  if (role_ == Role::kServer && !stream.closed) nghttp2_session_consume_stream(session_, stream.id, bytes);
}

// A backend's stream: exactly as far as the credit goes, so that nothing of an answer is held here that no
// client has room for.
void Http2Session::open_window(Http2Stream& stream, std::size_t bytes) {
  if (!stream.head_written) {
    stream.window_due += bytes;
  } else if (!stream.in_ended && !over_) {
    nghttp2_submit_window_update(session_, NGHTTP2_FLAG_NONE, stream.id, static_cast<std::int32_t>(bytes));
  }
}

// Counts against the window, and nobody is granted it. (libnghttp2 returns it too, but only once half a
// window of it has come, and forgets it at the next grant.)
void Http2Session::on_padding(StreamId id, std::size_t bytes) {
  Http2Stream* const stream = find(id);
  if (role_ == Role::kClient && stream != nullptr && bytes != 0) open_window(*stream, bytes);
}

void Http2Session::end_input(Http2Stream& stream) {
  stream.in_ended = true;
  // A backend has done its part with a whole answer, whether it wanted all of the request or not.
  if (role_ == Role::kClient && !stream.over) budget_.on_stream_end();
  if (stream.held.empty()) finish_input(stream);
}

void Http2Session::finish_input(Http2Stream& stream) {
  if (stream.over || stream.waiting || stream.in_stopped || std::exchange(stream.in_told, true)) return;
  on_end(stream, std::exchange(stream.trailers, std::nullopt));
}

void Http2Session::stop_input(Http2Stream& stream) {
  stream.in_stopped = true;
  drop_held(stream);
  settle_window();
}

void Http2Session::drop_held(Http2Stream& stream) {
  held_ -= stream.held.size() - stream.held_at;
  release_memory(stream.held);
  stream.held_at = 0;
}

void Http2Session::grant(StreamId id, std::size_t bytes) {
  Http2Stream* const stream = find(id);
  if (stream == nullptr) return;
  stream->credit += bytes;
  if (role_ == Role::kClient) open_window(*stream, bytes);
  if (stream->held.empty() || std::exchange(stream->deliverable, true)) return;
  deliverable_.push_back(id);
}

void Http2Session::deliver() {
  while (!deliverable_.empty()) {
    const std::vector<StreamId> ids = std::exchange(deliverable_, {});
    for (const StreamId id : ids) {
      Http2Stream* const stream = find(id);
      if (stream == nullptr) continue;
      stream->deliverable = false;
      deliver(*stream);
    }
  }
  sweep();
}

void Http2Session::deliver(Http2Stream& stream) {
  const std::size_t passed = std::min(stream.credit, stream.held.size() - stream.held_at);
  if (passed != 0) {
    // Taken out first: the owner may reset the stream meanwhile.
    const std::string bytes = stream.held.substr(stream.held_at, passed);
    consume(stream.held, stream.held_at, passed);
    held_ -= passed;
    stream.credit -= passed;
    on_data(stream, bytes);
    consumed(stream, passed);
    settle_window();
  }
  if (stream.held.empty() && stream.in_ended) finish_input(stream);
}

// Of what has come, so much counts against the connection's window as is held beyond kHttp2Held. Not where
// the streams are many clients': slow ones among them would hold up the others.
void Http2Session::settle_window() {
  const std::size_t keep = role_ == Role::kServer && held_ > kHttp2Held ? held_ - kHttp2Held : 0;
  if (unconsumed_ <= keep) return;
  if (!over_) nghttp2_session_consume_connection(session_, unconsumed_ - keep);
  unconsumed_ = keep;
}

// ---- out

void Http2Session::send_data(StreamId id, std::span<const char> bytes) {
  Http2Stream* const stream = find(id);
  if (stream == nullptr || !stream->head_sent || stream->out_ended || stream->closed || bytes.empty()) return;
  if (stream->no_body) {
    if (stream->sent == 0) sent_.push_back(id);
    stream->sent += bytes.size();
    return;
  }
  if (stream->left && bytes.size() > *stream->left) return reset(id, Http2Error::kInternalError);
  if (stream->left) *stream->left -= bytes.size();
  append_tightly(stream->buffer, bytes);
  nghttp2_session_resume_data(session_, id);
}

void Http2Session::send_end(StreamId id, const http::Fields* trailers) {
  Http2Stream* const stream = find(id);
  if (stream == nullptr || !stream->head_sent || stream->out_ended || stream->no_body || stream->closed)
    return;
  if (stream->left && *stream->left != 0) return reset(id, Http2Error::kInternalError);
  if (trailers != nullptr) {
    Http2FieldList list;
    if (!list.add_trailers(*trailers)) return reset(id, Http2Error::kInternalError);
    if (list.size() != 0) {
      http::Fields& kept = stream->out_trailers.emplace();
      for (const http::Field& field : *trailers) kept.add(field.name, field.value);
    }
  }
  stream->out_ended = true;
  nghttp2_session_resume_data(session_, id);
}

std::ptrdiff_t Http2Session::read_body(Http2Stream& stream, std::size_t room, std::uint32_t& flags) {
  const std::size_t waiting = stream.buffer.size() - stream.buffer_at;
  if (waiting == 0 && !stream.out_ended) return NGHTTP2_ERR_DEFERRED;
  const std::size_t size = std::min(room, waiting);
  flags |= NGHTTP2_DATA_FLAG_NO_COPY;
  if (size == waiting && stream.out_ended) {
    flags |= NGHTTP2_DATA_FLAG_EOF;
    if (stream.out_trailers) {
      Http2FieldList list;
      if (list.add_trailers(*stream.out_trailers) &&
          nghttp2_submit_trailer(session_, stream.id, list.data(), list.size()) == 0) {
        flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      }
    }
  }
  return static_cast<std::ptrdiff_t>(size);
}

void Http2Session::take_output(std::string& out, std::size_t limit) {
  out_ = &out;
  out_limit_ = limit;
  while (!over_ && out.size() < limit) {
    const std::uint8_t* data = nullptr;
    const auto size = nghttp2_session_mem_send(session_, &data);
    if (size < 0) give_up(Http2Error::kInternalError);
    if (size <= 0) break;
    out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
  out_ = nullptr;
  if (const std::optional<Http2Error> error = std::exchange(goaway_, std::nullopt)) {
    const auto last = static_cast<std::uint32_t>(last_peer_stream_);
    const auto code = static_cast<std::uint32_t>(*error);
    const std::array<std::uint32_t, 2> words{last, code};
    out.append({0, 0, 8, static_cast<char>(NGHTTP2_GOAWAY), 0, 0, 0, 0, 0});
    for (const std::uint32_t word : words) {
      for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(word >> shift & 0xffU));
    }
  }
  check_over();
  if (!over_ && budget_.used_up()) calm();
  for (const StreamId id : std::exchange(sent_, {})) {
    Http2Stream* const stream = find(id);
    if (stream != nullptr) on_sent(*stream, std::exchange(stream->sent, 0));
  }
  sweep();
}

bool Http2Session::wants_output() const {
  return goaway_.has_value() || !sent_.empty() || (!over_ && nghttp2_session_want_write(session_) != 0);
}

bool Http2Session::finished() const {
  if (over_) return !goaway_.has_value();
  return reading_ended() && nghttp2_session_want_write(session_) == 0;
}

// To libnghttp2 a connection without streams is at its end with any GOAWAY, but the one that refuses nothing
// invites what is still on its way.
bool Http2Session::reading_ended() const {
  return nghttp2_session_want_read(session_) == 0 && (!notice_given_ || terminated_);
}

}  // namespace holdfast::wire
