// See http2_server.h.
#include "support/http2_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace holdfast::support {
namespace {

constexpr std::size_t kKept = 1024 * 1024;
constexpr int kLookAround = 50;  // milliseconds between two looks at whether to stop

std::vector<nghttp2_nv> list_of(const Fields& fields) {
  std::vector<nghttp2_nv> list;
  for (const auto& [name, value] : fields.list) {
    list.push_back({reinterpret_cast<std::uint8_t*>(const_cast<char*>(name.data())),
                    reinterpret_cast<std::uint8_t*>(const_cast<char*>(value.data())), name.size(),
                    value.size(), NGHTTP2_NV_FLAG_NONE});
  }
  return list;
}

std::string text(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace

char generated_byte(std::uint64_t place) {
  // Eight bytes of one kind, so that a byte lost or doubled shows.
  return static_cast<char>('A' + place / 8 % 26);
}

class Http2Server::Connection {
 public:
  Connection(Http2Server& server, Socket socket, int number)
      : server_(server), socket_(std::move(socket)), number_(number), thread_([this] { serve(); }) {}
  ~Connection() {
    ::shutdown(socket_.fd(), SHUT_RDWR);
    thread_.join();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

 private:
  struct Stream {
    Http2Request request;
    std::optional<Http2Reply> answer;
    std::uint64_t generated = 0;
    std::size_t sent = 0;  // of answer.body
    std::string echo;
    bool whole = false;
  };

  static Connection& self(void* user) { return *static_cast<Connection*>(user); }

  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const std::uint8_t* name,
                       std::size_t name_size, const std::uint8_t* value, std::size_t value_size, std::uint8_t,
                       void* user) {
    Http2Request& request = self(user).streams_[frame->hd.stream_id].request;
    Fields& into = frame->headers.cat == NGHTTP2_HCAT_REQUEST ? request.fields : request.trailers;
    into.list.emplace_back(text(name, name_size), text(value, value_size));
    return 0;
  }

  static int on_data(nghttp2_session* session, std::uint8_t, std::int32_t id, const std::uint8_t* data,
                     std::size_t size, void* user) {
    Stream& stream = self(user).streams_[id];
    stream.request.body_bytes += size;
    if (stream.request.body_bytes <= kKept) stream.request.body += text(data, size);
    if (stream.answer && stream.answer->echo) {
      stream.echo += text(data, size);
      nghttp2_session_resume_data(session, id);
    }
    return 0;
  }

  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Connection& it = self(user);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Stream& stream = it.streams_[frame->hd.stream_id];
    stream.request.connection = it.number_;
    stream.request.stream = frame->hd.stream_id;
    const bool whole = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS && !whole) it.ask(stream);
    if (!whole) return 0;
    stream.whole = true;
    stream.request.whole = true;
    it.server_.record(stream.request);
    if (stream.answer) {
      if (stream.answer->echo) stream.answer->trailers = stream.request.trailers;
      nghttp2_session_resume_data(session, frame->hd.stream_id);
    } else {
      it.ask(stream);
    }
    return 0;
  }

  static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user) {
    self(user).streams_.erase(id);
    return 0;
  }

  static ssize_t read_body(nghttp2_session* session, std::int32_t id, std::uint8_t* into, std::size_t room,
                           std::uint32_t* flags, nghttp2_data_source*, void* user) {
    Stream& stream = self(user).streams_[id];
    const Http2Reply& answer = *stream.answer;
    std::size_t size = std::min(room, answer.body.size() - stream.sent);
    std::copy_n(answer.body.data() + stream.sent, size, into);
    stream.sent += size;
    for (; size < room && stream.generated < answer.generated; ++size) {
      into[size] = static_cast<std::uint8_t>(generated_byte(stream.generated++));
    }
    if (answer.echo) {
      const std::size_t more = std::min(room - size, stream.echo.size());
      std::copy_n(stream.echo.data(), more, into + size);
      stream.echo.erase(0, more);
      size += more;
    }
    const bool all = stream.sent == answer.body.size() && stream.generated == answer.generated &&
                     stream.echo.empty() && (!answer.echo || stream.whole);
    if (all && answer.broken_off) {
      if (stream.whole) nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, *answer.broken_off);
      if (size == 0) return NGHTTP2_ERR_DEFERRED;
    } else if (all) {
      *flags |= NGHTTP2_DATA_FLAG_EOF;
      if (!answer.trailers.list.empty()) {
        *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
        const auto list = list_of(answer.trailers);
        nghttp2_submit_trailer(session, id, list.data(), list.size());
      }
    } else if (size == 0) {
      return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(size);
  }

  void ask(Stream& stream) {
    stream.answer = server_.handler()(stream.request);
    if (!stream.answer) return;
    const Http2Reply& answer = *stream.answer;
    const std::int32_t id = stream.request.stream;
    processed_ = std::max(processed_, id);
    if (answer.cut) {
      cut_ = true;
      return;
    }
    if (answer.goaway) {
      // RFC 9113 6.8: of every stream that was acted on, one with a higher number that ended earlier
      // included.
      nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, processed_, NGHTTP2_NO_ERROR, nullptr, 0);
    }
    if (answer.reset) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, id, *answer.reset);
      return;
    }
    for (const int status : answer.interim) {
      const Fields head{{{":status", std::to_string(status)}, {"link", "</style.css>"}}};
      const auto list = list_of(head);
      nghttp2_submit_headers(session_, NGHTTP2_FLAG_NONE, id, nullptr, list.data(), list.size(), nullptr);
    }
    Fields head{{{":status", std::to_string(answer.status)}}};
    head.list.insert(head.list.end(), answer.fields.list.begin(), answer.fields.list.end());
    const auto list = list_of(head);
    const nghttp2_data_provider body{.source = {.ptr = nullptr}, .read_callback = read_body};
    const bool has_body =
        !answer.body.empty() || answer.generated != 0 || answer.echo || !answer.trailers.list.empty();
    nghttp2_submit_response(session_, id, list.data(), list.size(), has_body ? &body : nullptr);
  }

  [[nodiscard]] bool send_all() {
    for (;;) {
      const std::uint8_t* data = nullptr;
      const ssize_t size = nghttp2_session_mem_send(session_, &data);
      if (size <= 0) return size == 0;
      for (ssize_t at = 0; at < size;) {
        const ssize_t sent =
            ::send(socket_.fd(), data + at, static_cast<std::size_t>(size - at), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
      }
    }
  }

  void serve() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry streams{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, server_.max_streams_};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &streams, 1);
    std::array<std::uint8_t, 64 * 1024> bytes{};
    while (send_all() && !server_.stopping_ && !cut_ &&
           (nghttp2_session_want_read(session_) != 0 || nghttp2_session_want_write(session_) != 0)) {
      pollfd waits{socket_.fd(), POLLIN, 0};
      if (::poll(&waits, 1, kLookAround) <= 0) continue;
      const ssize_t size = ::recv(socket_.fd(), bytes.data(), bytes.size(), 0);
      if (size <= 0) break;
      if (nghttp2_session_mem_recv(session_, bytes.data(), static_cast<std::size_t>(size)) < 0) break;
    }
    nghttp2_session_del(session_);
    // What the peer sent before it could know is read and thrown away: the reset that unread bytes cause
    // would overtake the GOAWAY.
    ::shutdown(socket_.fd(), cut_ ? SHUT_RDWR : SHUT_WR);
    while (!cut_ && !server_.stopping_) {
      pollfd waits{socket_.fd(), POLLIN, 0};
      if (::poll(&waits, 1, kLookAround) > 0 && ::recv(socket_.fd(), bytes.data(), bytes.size(), 0) <= 0)
        break;
    }
  }

  Http2Server& server_;
  Socket socket_;
  int number_;
  nghttp2_session* session_ = nullptr;
  std::map<std::int32_t, Stream> streams_;
  std::int32_t processed_ = 0;  // the highest stream that was answered
  bool cut_ = false;
  std::thread thread_;  // last: it uses all the others
};

Http2Server::Http2Server()
    : port_(free_port()), listening_(listen_loopback(port_)), handler_([](const Http2Request& request) {
        return request.whole ? std::optional(Http2Reply{.body = "ok"}) : std::nullopt;
      }) {
  acceptor_ = std::thread([this] { accept_loop(); });
}

Http2Server::~Http2Server() {
  stopping_ = true;
  acceptor_.join();
  connections_.clear();
}

void Http2Server::accept_loop() {
  while (!stopping_) {
    pollfd waits{listening_.fd(), POLLIN, 0};
    if (::poll(&waits, 1, kLookAround) <= 0) continue;
    Socket socket(::accept4(listening_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket.open()) continue;
    const int on = 1;
    ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int number = ++accepted_;
    connections_.push_back(std::make_unique<Connection>(*this, std::move(socket), number));
  }
}

void Http2Server::on_request(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

Http2Server::Handler Http2Server::handler() const {
  const std::lock_guard lock(mutex_);
  return handler_;
}

void Http2Server::record(const Http2Request& request) {
  const std::lock_guard lock(mutex_);
  seen_.push_back(request);
  arrived_.notify_all();
}

std::vector<Http2Request> Http2Server::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

bool Http2Server::wait_for(std::size_t count, Milliseconds patience) const {
  std::unique_lock lock(mutex_);
  return arrived_.wait_for(lock, patience, [&] { return seen_.size() >= count; });
}

}  // namespace holdfast::support
