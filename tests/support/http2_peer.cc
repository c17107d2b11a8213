#include "support/http2_peer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

namespace holdfast::support {
namespace {

std::vector<nghttp2_nv> list_of(const Http2Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields) {
    list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

}  // namespace

struct Http2Peer::Callbacks {
  static Http2Peer& self(void* user) { return *static_cast<Http2Peer*>(user); }

  static int header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                    std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                    void* user) {
    Http2Answer& answer = self(user).answers_[frame->hd.stream_id];
    const std::string field(reinterpret_cast<const char*>(name), name_size);
    const std::string text(reinterpret_cast<const char*>(value), value_size);
    if (field == ":status") {
      const int status = std::stoi(text);
      if (status < 200) {
        answer.interim.push_back(status);
      } else {
        answer.status = status;
      }
    } else if (answer.trailers_begun) {
      answer.trailers.list.emplace_back(field, text);
    } else if (answer.status != 0) {
      answer.fields.list.emplace_back(field, text);
    }
    return 0;
  }

  static int begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Answer& answer = self(user).answers_[frame->hd.stream_id];
    answer.trailers_begun = answer.status != 0;
    return 0;
  }

  static int frame_received(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2Peer& it = self(user);
    const bool ends = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (ends && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
      it.answers_[frame->hd.stream_id].ended = true;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
      it.answers_[frame->hd.stream_id].reset = frame->rst_stream.error_code;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
      it.goaways_.push_back({frame->goaway.last_stream_id, frame->goaway.error_code});
    }
    return 0;
  }

  static int data(nghttp2_session* session, std::uint8_t, std::int32_t stream, const std::uint8_t* bytes,
                  std::size_t size, void* user) {
    Http2Peer& it = self(user);
    Http2Answer& answer = it.answers_[stream];
    answer.body_bytes += size;
    if (it.options_.keep_bodies) answer.body.append(reinterpret_cast<const char*>(bytes), size);
    nghttp2_session_consume_connection(session, size);
    if (it.options_.take_answers) nghttp2_session_consume_stream(session, stream, size);
    return 0;
  }

  static ssize_t read(nghttp2_session* session, std::int32_t stream, std::uint8_t* into, std::size_t room,
                      std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Upload& upload = self(user).uploads_[stream];
    const std::size_t size = std::min(room, upload.bytes.size() - upload.at);
    if (size == 0 && !upload.ended) return NGHTTP2_ERR_DEFERRED;
    std::memcpy(into, upload.bytes.data() + upload.at, size);
    upload.at += size;
    if (upload.at == upload.bytes.size() && upload.ended) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!upload.trailers.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto list = list_of(upload.trailers);
        nghttp2_submit_trailer(session, stream, list.data(), list.size());
      }
    }
    return static_cast<ssize_t>(size);
  }
};

Http2Peer::Http2Peer(const Options& options) : options_(options) {
  nghttp2_session_callbacks* callbacks = nullptr;
  nghttp2_option* option = nullptr;
  nghttp2_session* session = nullptr;
  nghttp2_session_callbacks_new(&callbacks);
  nghttp2_option_new(&option);
  nghttp2_session_callbacks_set_on_header_callback(callbacks, &Callbacks::header);
  nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, &Callbacks::begin_headers);
  nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, &Callbacks::frame_received);
  nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, &Callbacks::data);
  nghttp2_option_set_no_auto_window_update(option, 1);
  nghttp2_option_set_no_http_messaging(option, 1);
  nghttp2_option_set_peer_max_concurrent_streams(option, 100);
  const int made = nghttp2_session_client_new2(&session, callbacks, this, option);
  nghttp2_option_del(option);
  nghttp2_session_callbacks_del(callbacks);
  if (made != 0) throw std::runtime_error("no HTTP/2 session");
  session_.reset(session);
  nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                        static_cast<std::int32_t>(options.connection_window));
  const std::array<nghttp2_settings_entry, 1> settings{
      {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, options.stream_window}}};
  nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
}

void Http2Peer::receive(std::string_view bytes) {
  const auto taken = nghttp2_session_mem_recv(
      session_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (taken < 0)
    throw std::runtime_error(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(taken)));
}

std::string Http2Peer::output() {
  std::string out;
  const std::uint8_t* data = nullptr;
  while (true) {
    const auto size = nghttp2_session_mem_send(session_.get(), &data);
    if (size < 0)
      throw std::runtime_error(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(size)));
    if (size == 0) return out;
    out.append(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
}

std::int32_t Http2Peer::submit(const Http2Fields& fields, bool with_body) {
  const auto list = list_of(fields);
  const nghttp2_data_provider body{.source = {.ptr = nullptr}, .read_callback = &Callbacks::read};
  const std::int32_t stream = nghttp2_submit_request(session_.get(), nullptr, list.data(), list.size(),
                                                     with_body ? &body : nullptr, nullptr);
  if (stream < 0) throw std::runtime_error(std::string("HTTP/2: ") + nghttp2_strerror(stream));
  return stream;
}

std::int32_t Http2Peer::request(const Http2Fields& fields, std::optional<std::string> body,
                                Http2Fields trailers) {
  const std::int32_t stream = submit(fields, body.has_value());
  if (body) uploads_[stream] = {std::move(*body), 0, true, std::move(trailers)};
  return stream;
}

std::int32_t Http2Peer::open(const Http2Fields& fields) {
  const std::int32_t stream = submit(fields, true);
  uploads_[stream] = {};
  return stream;
}

void Http2Peer::send(std::int32_t stream, std::string_view bytes, bool end) {
  Upload& upload = uploads_[stream];
  upload.bytes.erase(0, std::exchange(upload.at, 0));
  upload.bytes.append(bytes);
  upload.ended = upload.ended || end;
  nghttp2_session_resume_data(session_.get(), stream);
}

void Http2Peer::reset(std::int32_t stream, std::uint32_t error) {
  nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, stream, error);
}

void Http2Peer::consume(std::int32_t stream, std::size_t bytes) {
  nghttp2_session_consume_stream(session_.get(), stream, bytes);
}

void Http2Peer::ping() {
  nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
}

std::size_t Http2Peer::unsent(std::int32_t stream) const {
  const auto found = uploads_.find(stream);
  return found == uploads_.end() ? 0 : found->second.bytes.size() - found->second.at;
}

}  // namespace holdfast::support
