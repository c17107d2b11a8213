#include "wire/http2_client.h"

#include <algorithm>
#include <array>
#include <utility>

#include "wire/digits.h"
#include "wire/http2_fields.h"
#include "wire/http2_session.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;

// A backend that goes on with interim heads for ever would never be found too slow.
constexpr unsigned kMaxInterim = 32;

}  // namespace

class Http2Client::Impl final : public Http2Session {
 public:
  Impl(const Http2Limits& limits, bool tls, Http2ClientOwner& owner)
      : Http2Session(Role::kClient, limits), owner_(owner), scheme_(tls ? "https" : "http") {
    const auto list_size =
        static_cast<std::uint32_t>(limits.max_head_bytes + kListedFieldOverhead * limits.max_fields);
    const std::array<nghttp2_settings_entry, 4> settings{{
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0},  // opened by what an answer is granted
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, list_size},
    }};
    nghttp2_submit_settings(session(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
  }

  [[nodiscard]] bool is_closing() const {
    return is_over() || is_terminated() || nghttp2_session_check_request_allowed(session()) == 0;
  }

  [[nodiscard]] bool may_open(std::size_t before) const {
    if (is_closing() || awaits_ping()) return false;
    const std::uint32_t allowed =
        nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    // Those that we reset count until RST_STREAM has gone out.
    return known_streams() + before < std::min<std::size_t>(limits().max_streams, allowed);
  }

  StreamId send_head(const http::RequestHead& head) {
    const bool connect = head.method == "CONNECT";
    Http2FieldList list;
    list.add(":method", head.method);
    if (!head.protocol.empty()) list.add(":protocol", head.protocol);
    const std::string_view authority = head.fields.find("host").value_or(head.authority);
    if (!connect || !head.protocol.empty()) {
      list.add(":scheme", scheme_);
      list.add(":path", head.target);
    }
    if (!authority.empty()) list.add(":authority", authority);
    // Fields hold the Host that is said already, and an Expect that is answered here.
    if (!list.are_words() || !list.add_fields(head.fields, {"host", "expect"})) return 0;
    if (head.accepts_trailers) list.add("te", "trailers");
    const Digits length(head.body.bytes);
    if (head.body.kind == Kind::kKnown && !connect) list.add("content-length", length.view());
    const bool no_body = head.body.kind == Kind::kNone && !connect;
    const nghttp2_data_provider body = body_provider();
    const StreamId id = nghttp2_submit_request(session(), nullptr, list.data(), list.size(),
                                               no_body ? nullptr : &body, nullptr);
    if (id < 0) return 0;
    Http2Stream& stream = add(id);
    stream.head_request = head.method == "HEAD";
    stream.tunnel = connect;
    stream.head_sent = true;
    hold_unsent_head(stream, list.bytes());
    stream.no_body = no_body;
    if (head.body.kind == Kind::kKnown) stream.left = head.body.bytes;
    tell(stream);
    return id;
  }

  [[nodiscard]] bool takes_extended_connect() const {
    return established() &&
           nghttp2_session_get_remote_settings(session(), NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
  }

 private:
  void on_section(Http2Stream& stream, bool end) override {
    if (stream.head_seen) return on_trailers(stream);
    http::ResponseHead head;
    const std::string_view fault =
        make_response_head(std::exchange(stream.section, {}), end, stream.head_request, head);
    if (!fault.empty()) return fail(stream);
    if (head.status < 200) {
      if (++stream.interims > kMaxInterim) return fail(stream);
      return owner_.on_response_interim(stream.id, std::move(head));
    }
    stream.head_seen = true;
    owner_.on_response_head(stream.id, std::move(head));
  }

  void on_trailers(Http2Stream& stream) {
    http::Fields trailers;
    Fault fault;
    if (!make_trailers(std::exchange(stream.section, {}), trailers, fault)) return fail(stream);
    stream.trailers = std::move(trailers);
  }

  void fail(Http2Stream& stream) {
    reset(stream.id, Http2Error::kProtocolError);
    owner_.on_stream_reset(stream.id, Http2Failure::kMalformed);
  }

  void on_data(Http2Stream& stream, std::span<const char> bytes) override {
    owner_.on_response_data(stream.id, bytes);
  }

  void on_end(Http2Stream& stream, std::optional<http::Fields> trailers) override {
    if (trailers && !trailers->empty()) owner_.on_response_trailers(stream.id, std::move(*trailers));
    if (!stream.over) owner_.on_response_end(stream.id);
  }

  void on_too_large(Http2Stream& stream) override { fail(stream); }

  void on_sent(Http2Stream& stream, std::size_t bytes) override { owner_.on_request_sent(stream.id, bytes); }

  void on_out_done(Http2Stream& stream) override {
    if (!stream.over) owner_.on_request_done(stream.id);
  }

  void on_closed(Http2Stream& stream, Http2Error error) override {
    if (stream.in_told) return owner_.on_stream_end(stream.id);
    owner_.on_stream_reset(stream.id, failure(stream, error));
  }

  static Http2Failure failure(const Http2Stream& stream, Http2Error error) {
    // A request that was still waiting to be sent when the connection ended was seen by nobody.
    if (error == Http2Error::kRefusedStream || !stream.head_written) return Http2Failure::kNotProcessed;
    if (!stream.peer_reset) {
      return error == Http2Error::kNoError ? Http2Failure::kReset : Http2Failure::kMalformed;
    }
    if (error == Http2Error::kCancel) return Http2Failure::kCancelled;
    return error == Http2Error::kEnhanceYourCalm ? Http2Failure::kExhausted : Http2Failure::kReset;
  }

  Http2ClientOwner& owner_;
  const std::string_view scheme_;
};

Http2Client::Http2Client(const Http2Limits& limits, bool tls, Http2ClientOwner& owner)
    : impl_(std::make_unique<Impl>(limits, tls, owner)) {}
Http2Client::~Http2Client() = default;

bool Http2Client::may_open(std::size_t before) const {
  return impl_->may_open(before);
}
std::size_t Http2Client::unsent_heads() const {
  return impl_->unsent_heads();
}
bool Http2Client::is_closing() const {
  return impl_->is_closing();
}
StreamId Http2Client::send_head(const http::RequestHead& head) {
  return impl_->send_head(head);
}
bool Http2Client::takes_extended_connect() const {
  return impl_->takes_extended_connect();
}
void Http2Client::send_data(StreamId stream, std::span<const char> bytes) {
  impl_->send_data(stream, bytes);
}
void Http2Client::send_trailers(StreamId stream, const http::Fields& trailers) {
  impl_->send_end(stream, &trailers);
}
void Http2Client::send_end(StreamId stream) {
  impl_->send_end(stream, nullptr);
}
void Http2Client::reset(StreamId stream, Http2Error error) {
  impl_->reset(stream, error);
}
void Http2Client::take_output(std::string& out, std::size_t limit) {
  impl_->take_output(out, limit);
}
bool Http2Client::wants_output() const {
  return impl_->wants_output();
}
void Http2Client::receive(std::span<const char> bytes, SteadyTime now) {
  impl_->receive(bytes, now);
}
void Http2Client::grant_response(StreamId stream, std::size_t bytes) {
  impl_->grant(stream, bytes);
}
bool Http2Client::wants_deliver() const {
  return impl_->wants_deliver();
}
void Http2Client::deliver() {
  impl_->deliver();
}
void Http2Client::ping() {
  impl_->ping();
}
bool Http2Client::awaits_ping() const {
  return impl_->awaits_ping();
}
void Http2Client::terminate(Http2Error error) {
  impl_->terminate(error);
}
void Http2Client::lose_connection() {
  impl_->lose_connection();
}
bool Http2Client::finished() const {
  return impl_->finished();
}
std::size_t Http2Client::open_streams() const {
  return impl_->open_streams();
}
bool Http2Client::established() const {
  return impl_->established();
}
const Http2Counts& Http2Client::counts() const {
  return impl_->counts();
}

}  // namespace holdfast::wire
