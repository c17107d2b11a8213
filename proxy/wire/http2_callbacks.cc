// What libnghttp2 calls, and how its session is set up; see http2_session.h.
#include <memory>
#include <new>
#include <utility>

#include "wire/http2_session.h"

namespace holdfast::wire {
namespace {

constexpr std::size_t kMaxFrame = 16 * 1024;  // SETTINGS_MAX_FRAME_SIZE's default, which we keep to
// A section that the limits allow is never cut off by libnghttp2's own, which is counted in frames.
constexpr std::size_t kSpareContinuations = 8;
// It counts one again for every piece that the frame's own head comes in, down to single bytes.
constexpr std::size_t kPiecesOfFrameHead = 9;
constexpr std::size_t kMaxSentHead = 1024 * 1024;
constexpr std::size_t kMaxQueuedAcks = 100;
constexpr std::uint64_t kNoLimit = 1'000'000'000;

struct OptionDelete {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};
struct CallbacksDelete {
  void operator()(nghttp2_session_callbacks* callbacks) const { nghttp2_session_callbacks_del(callbacks); }
};

}  // namespace

struct Http2Session::Callbacks {
  static Http2Session& self(void* user) { return *static_cast<Http2Session*>(user); }
  static int begin_headers(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    Http2Session& it = self(user);
    const StreamId id = frame->hd.stream_id;
    it.section_ = 0;
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
      it.last_peer_stream_ = id;
      it.add(id);
    } else if (Http2Stream* const known = it.find_any(id)) {
      known->section = {};
    }
    return 0;
  }

  static int header(nghttp2_session* /*session*/, const nghttp2_frame* frame, nghttp2_rcbuf* name,
                    nghttp2_rcbuf* value, std::uint8_t /*flags*/, void* user) {
    Http2Session& it = self(user);
    const std::size_t octets = nghttp2_rcbuf_get_buf(name).len + nghttp2_rcbuf_get_buf(value).len;
    it.decoded_ += octets;
    it.section_ += octets;
    Http2Stream* const known = it.find_any(frame->hd.stream_id);
    if (known == nullptr) return 0;
    if (!known->section.add(name, value, it.limits_)) it.calm();
    return 0;
  }

  // libnghttp2 would drop the field and go on; a message that others may read differently is not repaired.
  static int invalid_header(nghttp2_session*, const nghttp2_frame*, const std::uint8_t*, std::size_t,
                            const std::uint8_t*, std::size_t, std::uint8_t, void*) {
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
  }

  static int frame_received(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    Http2Session& it = self(user);
    const bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    switch (frame->hd.type) {
      case NGHTTP2_SETTINGS:
        it.established_ = true;
        return 0;
      case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) it.ping_sent_ = false;
        return 0;
      case NGHTTP2_DATA:
        if (!end && frame->hd.length != 0 && frame->hd.length == frame->data.padlen) {
          it.budget_.on_empty_data(it.counts_);
        }
        it.on_padding(frame->hd.stream_id, frame->data.padlen);
        break;
      case NGHTTP2_HEADERS:
        break;
      case NGHTTP2_RST_STREAM:
        if (Http2Stream* const known = it.find_any(frame->hd.stream_id)) known->peer_reset = true;
        return 0;
      default:
        return 0;
    }
    Http2Stream* const known = it.find_any(frame->hd.stream_id);
    if (known == nullptr) return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !known->over && !known->in_stopped) it.on_section(*known, end);
    if (end) it.end_input(*known);
    return 0;
  }

  static int data_chunk(nghttp2_session* /*session*/, std::uint8_t /*flags*/, StreamId id,
                        const std::uint8_t* data, std::size_t size, void* user) {
    Http2Session& it = self(user);
    it.unconsumed_ += size;
    if (Http2Stream* const known = it.find_any(id)) {
      it.take_data(*known, {reinterpret_cast<const char*>(data), size});
    }
    it.settle_window();
    return 0;
  }

  static int frame_sent(nghttp2_session* /*session*/, const nghttp2_frame* frame, void* user) {
    Http2Session& it = self(user);
    Http2Stream* const known = it.find_any(frame->hd.stream_id);
    switch (frame->hd.type) {
      case NGHTTP2_RST_STREAM:
        if (known == nullptr || !known->in_ended) it.budget_.on_cut();
        // One that nobody asked for: libnghttp2's answer to something malformed. Streams that it refuses
        // are unknown here; so are those that we cancel while the peer does.
        if (frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
            (known == nullptr ? frame->rst_stream.error_code != NGHTTP2_CANCEL : !known->over)) {
          it.budget_.on_malformed(it.counts_);
        }
        return 0;
      case NGHTTP2_GOAWAY:
        // Not ours: libnghttp2's answer to a connection error.
        if (frame->goaway.error_code != NGHTTP2_NO_ERROR && !it.terminated_) it.counts_.broken = 1;
        return 0;
      case NGHTTP2_DATA:
        it.budget_.on_data_sent();
        break;
      case NGHTTP2_HEADERS:
        if (known != nullptr) it.let_go_of_head(*known);
        if (known != nullptr && !std::exchange(known->head_written, true) && known->window_due != 0) {
          it.open_window(*known, known->window_due);
        }
        break;
      default:
        return 0;
    }
    if (known != nullptr && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
      known->out_done = true;
      it.on_out_done(*known);
    }
    return 0;
  }

  static int frame_not_sent(nghttp2_session* session, const nghttp2_frame* frame, int /*error*/, void*) {
    // A head that cannot be encoded; a peer that waits for it would wait for ever. A request's stream was
    // never opened, and libnghttp2 closes it by itself: the peer must not hear of it.
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
      nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_INTERNAL_ERROR);
    }
    return 0;
  }

  static int stream_closed(nghttp2_session* /*session*/, StreamId id, std::uint32_t error, void* user) {
    self(user).close(id, static_cast<Http2Error>(error));
    return 0;
  }

  static ssize_t read_body(nghttp2_session* /*session*/, StreamId id, std::uint8_t* /*into*/,
                           std::size_t room, std::uint32_t* flags, nghttp2_data_source* /*source*/,
                           void* user) {
    Http2Session& it = self(user);
    Http2Stream* const known = it.find_any(id);
    if (known == nullptr) return NGHTTP2_ERR_DEFERRED;
    return it.read_body(*known, room, *flags);
  }

  static int send_data(nghttp2_session* /*session*/, nghttp2_frame* frame, const std::uint8_t* head,
                       std::size_t size, nghttp2_data_source* /*source*/, void* user) {
    Http2Session& it = self(user);
    if (it.out_->size() >= it.out_limit_) return NGHTTP2_ERR_WOULDBLOCK;
    Http2Stream* const known = it.find_any(frame->hd.stream_id);
    if (known == nullptr) return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    it.out_->append(reinterpret_cast<const char*>(head), 9);
    it.out_->append(known->buffer, known->buffer_at, size);
    consume(known->buffer, known->buffer_at, size);
    if (size == 0) return 0;
    if (known->sent == 0) it.sent_.push_back(known->id);
    known->sent += size;
    return 0;
  }

  static const nghttp2_session_callbacks* table() {
    static const std::unique_ptr<nghttp2_session_callbacks, CallbacksDelete> callbacks = [] {
      nghttp2_session_callbacks* made = nullptr;
      if (nghttp2_session_callbacks_new(&made) != 0) throw std::bad_alloc();
      nghttp2_session_callbacks_set_on_begin_headers_callback(made, begin_headers);
      nghttp2_session_callbacks_set_on_header_callback2(made, header);
      nghttp2_session_callbacks_set_on_invalid_header_callback(made, invalid_header);
      nghttp2_session_callbacks_set_on_frame_recv_callback(made, frame_received);
      nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, data_chunk);
      nghttp2_session_callbacks_set_on_frame_send_callback(made, frame_sent);
      nghttp2_session_callbacks_set_on_frame_not_send_callback(made, frame_not_sent);
      nghttp2_session_callbacks_set_on_stream_close_callback(made, stream_closed);
      nghttp2_session_callbacks_set_send_data_callback(made, send_data);
      return std::unique_ptr<nghttp2_session_callbacks, CallbacksDelete>(made);
    }();
    return callbacks.get();
  }
};

Http2Session::Http2Session(Role role, const Http2Limits& limits)
    : role_(role),
      limits_(limits),
      frames_(role == Role::kServer ? Http2FrameReader::kClientPreface : 0),
      budget_(role == Role::kServer) {
  nghttp2_option* made = nullptr;
  if (nghttp2_option_new(&made) != 0) throw std::bad_alloc();
  const std::unique_ptr<nghttp2_option, OptionDelete> option(made);
  nghttp2_option_set_no_auto_window_update(made, 1);
  nghttp2_option_set_max_outbound_ack(made, kMaxQueuedAcks);
  nghttp2_option_set_max_send_header_block_length(made, kMaxSentHead);
  nghttp2_option_set_max_continuations(
      made, (limits.max_head_bytes / kMaxFrame + kSpareContinuations) * kPiecesOfFrameHead);
  // http2_budget.h counts resets together with everything else, and by the same clock.
  nghttp2_option_set_stream_reset_rate_limit(made, kNoLimit, kNoLimit);
  // Nothing is promised to us; SETTINGS_ENABLE_PUSH says so as well.
  nghttp2_option_set_max_reserved_remote_streams(made, 0);
  const int result = role == Role::kServer
                         ? nghttp2_session_server_new2(&session_, Callbacks::table(), this, made)
                         : nghttp2_session_client_new2(&session_, Callbacks::table(), this, made);
  if (result != 0) throw std::bad_alloc();
  nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kHttp2ConnectionWindow);
}

nghttp2_data_provider Http2Session::body_provider() {
  return {.source = {.ptr = nullptr}, .read_callback = Callbacks::read_body};
}

}  // namespace holdfast::wire
