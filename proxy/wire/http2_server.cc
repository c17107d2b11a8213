#include "wire/http2_server.h"

#include <array>
#include <deque>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "wire/digits.h"
#include "wire/http2_fields.h"
#include "wire/http2_session.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;

bool is_number(std::string_view text) {
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return !text.empty();
}

}  // namespace

class Http2Server::Impl final : public Http2Session {
 public:
  Impl(const Http2Limits& limits, Http2ServerOwner& owner)
      : Http2Session(Role::kServer, limits), owner_(owner) {
    const auto list_size =
        static_cast<std::uint32_t>(limits.max_head_bytes + kListedFieldOverhead * limits.max_fields);
    const std::array<nghttp2_settings_entry, 4> settings{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kHttp2StreamWindow},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, list_size},
        {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1},
    }};
    nghttp2_submit_settings(session(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }

  bool send_interim(StreamId id, const http::ResponseHead& head) {
    Http2Stream* const stream = find(id);
    if (stream == nullptr || stream->head_sent) return true;
    const Digits status(head.status);
    Http2FieldList list;
    list.add(":status", status.view());
    if (head.status < 100 || head.status >= 200 || head.status == 101 || !list.add_fields(head.fields)) {
      return false;
    }
    nghttp2_submit_headers(session(), NGHTTP2_FLAG_NONE, id, nullptr, list.data(), list.size(), nullptr);
    return true;
  }

  bool send_head(StreamId id, const http::ResponseHead& head) {
    Http2Stream* const stream = find(id);
    if (stream == nullptr || stream->head_sent) return true;
    const Digits status(head.status);
    const Digits length(head.body.bytes);
    Http2FieldList list;
    list.add(":status", status.view());
    if (head.status < 200 || head.status > 999 || !list.add_fields(head.fields)) return false;
    const bool bodiless = stream->head_request || head.status == 204 || head.status == 304;
    const bool opens_tunnel = stream->tunnel && head.status < 300;
    stream->tunnel = opens_tunnel;  // what is refused ends as any answer does
    stream->no_body = bodiless || (head.body.kind == Kind::kNone && !opens_tunnel);
    if (!bodiless && head.body.kind == Kind::kKnown) {
      list.add("content-length", length.view());
      stream->left = head.body.bytes;
    } else if (stream->head_request || head.status == 304) {
      const auto kept = head.fields.find("content-length");
      if (kept && is_number(*kept)) list.add("content-length", *kept);
    }
    stream->head_sent = true;
    const nghttp2_data_provider body = body_provider();
    nghttp2_submit_response(session(), id, list.data(), list.size(), stream->no_body ? nullptr : &body);
    return true;
  }

  [[nodiscard]] bool wants_begin() { return next_waiting() != nullptr; }

  void begin_request() {
    Http2Stream* const stream = next_waiting();
    if (stream == nullptr) return;
    waiting_.pop_front();
    const std::unique_ptr<Http2Waiting> request = std::move(stream->waiting);
    std::optional<Fault>& fault = request->fault;
    tell(*stream);
    if (request->refused) {
      return owner_.on_request_refused(stream->id, std::move(*fault), std::move(request->head));
    }
    owner_.on_request_head(stream->id, std::move(request->head));
    if (stream->over) return;
    if (fault) return owner_.on_request_fault(stream->id, std::move(*fault));
    if (stream->held.empty() && stream->in_ended) finish_input(*stream);
  }

  void begin_shutdown() {
    nghttp2_submit_shutdown_notice(session());
    set_notice_given(true);
  }
  void end_shutdown() {
    set_notice_given(false);
    nghttp2_submit_goaway(session(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session()),
                          NGHTTP2_NO_ERROR, nullptr, 0);
  }

 private:
  void on_section(Http2Stream& stream, bool end) override {
    if (!afford_repeats(stream)) return;
    if (stream.head_seen) return on_trailers(stream);
    stream.head_seen = true;
    if (!afford_head(stream)) return;
    stream.waiting = std::make_unique<Http2Waiting>();
    waiting_.push_back(stream.id);
    http::RequestHead& head = stream.waiting->head;
    Fault fault;
    const bool good = make_request_head(std::exchange(stream.section, {}), end, limits(), head, fault);
    stream.head_request = head.method == "HEAD";
    stream.tunnel = !head.protocol.empty();
    if (good) return;
    stream.waiting->refused = true;
    stream.waiting->fault = std::move(fault);
    stop_input(stream);
  }

  // Those that are over by now are passed over: their client has asked for nothing.
  Http2Stream* next_waiting() {
    while (!waiting_.empty()) {
      if (Http2Stream* const stream = find_any(waiting_.front()); stream != nullptr && !stream->over) {
        return stream;
      }
      waiting_.pop_front();
    }
    return nullptr;
  }

  void on_trailers(Http2Stream& stream) {
    http::Fields trailers;
    Fault fault;
    if (make_trailers(std::exchange(stream.section, {}), trailers, fault)) {
      stream.trailers = std::move(trailers);
      return;
    }
    stop_input(stream);
    on_fault(stream, std::move(fault));
  }

  void on_fault(Http2Stream& stream, Fault fault) {
    if (!stream.waiting) return owner_.on_request_fault(stream.id, std::move(fault));
    stream.waiting->fault = std::move(fault);
  }

  void on_data(Http2Stream& stream, std::span<const char> bytes) override {
    owner_.on_request_data(stream.id, bytes);
  }

  void on_end(Http2Stream& stream, std::optional<http::Fields> trailers) override {
    if (trailers && !trailers->empty()) owner_.on_request_trailers(stream.id, std::move(*trailers));
    if (!stream.over) owner_.on_request_end(stream.id);
  }

  void on_too_large(Http2Stream& stream) override {
    on_fault(stream, {{Reason::request_too_large, "the body is larger than this server takes"}, 413});
  }

  void on_sent(Http2Stream& stream, std::size_t bytes) override { owner_.on_response_sent(stream.id, bytes); }

  void on_out_done(Http2Stream& stream) override {
    // RFC 9113 8.1: the rest of the request is not needed. A tunnel's two ways end one by one.
    if (stream.in_ended || stream.tunnel || stream.over) return;
    stop_input(stream);
    nghttp2_submit_rst_stream(session(), NGHTTP2_FLAG_NONE, stream.id, NGHTTP2_NO_ERROR);
  }

  void on_closed(Http2Stream& stream, Http2Error error) override {
    if (!stream.told) {
      if (error == Http2Error::kNoError || stream.peer_reset) return;
      // libnghttp2 has reset it because of what came: what is known of that goes into the log.
      http::RequestHead head;
      Fault fault;
      if (stream.waiting) {
        head = std::move(stream.waiting->head);
        fault =
            std::move(stream.waiting->fault)
                .value_or(Fault{{Reason::request_malformed, "the request breaks the rules of HTTP/2"}, 400});
      } else if (make_request_head(std::exchange(stream.section, {}), false, limits(), head, fault)) {
        fault = {{Reason::request_malformed, "the request's head breaks the rules of HTTP/2"}, 400};
      }
      tell(stream);
      owner_.on_request_refused(stream.id, std::move(fault), std::move(head));
    }
    if (stream.out_done) return owner_.on_stream_end(stream.id);
    owner_.on_stream_reset(stream.id, error != Http2Error::kNoError && !stream.peer_reset);
  }

  Http2ServerOwner& owner_;
  std::deque<StreamId> waiting_;  // requests that have come and were not handed on
};

Http2Server::Http2Server(const Http2Limits& limits, Http2ServerOwner& owner)
    : impl_(std::make_unique<Impl>(limits, owner)) {}
Http2Server::~Http2Server() = default;

void Http2Server::receive(std::span<const char> bytes, SteadyTime now) {
  impl_->receive(bytes, now);
  if (!impl_->wants_begin()) return;
  while (impl_->wants_begin()) impl_->begin_request();
  impl_->deliver();
}
std::size_t Http2Server::receive(std::span<const char> bytes, SteadyTime now, std::size_t& allowance) {
  return impl_->receive(bytes, now, allowance);
}
bool Http2Server::wants_begin() const {
  return impl_->wants_begin();
}
void Http2Server::begin_request() {
  impl_->begin_request();
}
void Http2Server::grant_request(StreamId stream, std::size_t bytes) {
  impl_->grant(stream, bytes);
}
bool Http2Server::wants_deliver() const {
  return impl_->wants_deliver();
}
void Http2Server::deliver() {
  impl_->deliver();
}
bool Http2Server::send_interim(StreamId stream, const http::ResponseHead& head) {
  return impl_->send_interim(stream, head);
}
bool Http2Server::send_head(StreamId stream, const http::ResponseHead& head) {
  return impl_->send_head(stream, head);
}
void Http2Server::send_data(StreamId stream, std::span<const char> bytes) {
  impl_->send_data(stream, bytes);
}
void Http2Server::send_trailers(StreamId stream, const http::Fields& trailers) {
  impl_->send_end(stream, &trailers);
}
void Http2Server::send_end(StreamId stream) {
  impl_->send_end(stream, nullptr);
}
void Http2Server::reset(StreamId stream, Http2Error error) {
  impl_->reset(stream, error);
}
void Http2Server::take_output(std::string& out, std::size_t limit) {
  impl_->take_output(out, limit);
}
bool Http2Server::wants_output() const {
  return impl_->wants_output();
}
void Http2Server::begin_shutdown() {
  impl_->begin_shutdown();
}
void Http2Server::end_shutdown() {
  impl_->end_shutdown();
}
void Http2Server::terminate(Http2Error error) {
  impl_->terminate(error);
}
bool Http2Server::finished() const {
  return impl_->finished();
}
std::size_t Http2Server::open_streams() const {
  return impl_->open_streams();
}
bool Http2Server::in_head() const {
  return impl_->in_field_section();
}
bool Http2Server::established() const {
  return impl_->established();
}
const Http2Counts& Http2Server::counts() const {
  return impl_->counts();
}

}  // namespace holdfast::wire
