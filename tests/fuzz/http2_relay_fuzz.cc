// An HTTP/2 client's session with an application behind it, as frames that a fuzzer composes. What the
// application is handed goes through the story and is encoded for a backend that speaks HTTP/1: exactly one
// request of the same meaning to a strict reader and to a lax one, and none where the stream did not end
// well. Credit and windows are kept to on both ways, and each stream is told of in order and to its end.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "forwarding.h"
#include "http2_program.h"
#include "message.h"
#include "pipeline/exchange.h"
#include "wire/encoder.h"
#include "wire/http2_server.h"

namespace {

using namespace holdfast;
using fuzz::check;
using wire::StreamId;

constexpr std::size_t kPiece = 4096;  // of output, taken at a time

fuzz::Forwarding& story() {
  static fuzz::Forwarding forwarding;
  return forwarding;
}

// One request and its answer.
struct Stream {
  bool forwarded = false;
  bool stopped = false;  // nothing of its request may come
  bool over = false;
  fuzz::Message message;
  http::BodyLength length;
  wire::RequestEncoder encoder;
  std::string bytes;
  http::Fields trailers;
  std::size_t granted = 0;
  std::size_t taken = 0;

  bool answered = false;
  std::uint64_t left = 0;  // of a known length
  bool known = false;
  bool ended = false;
  std::size_t handed = 0;  // of the answer's body, not reported as sent
};

class Application final : public wire::Http2ServerOwner {
 public:
  explicit Application(fuzz::Input& input) : in_(input) {}

  void set(wire::Http2Server& server) { server_ = &server; }

  // ---- what it does by itself

  void grant(StreamId id, std::size_t bytes) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.over) return;
    found->second.granted += bytes;
    server_->grant_request(id, bytes);
  }

  void answer(StreamId id) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.over || found->second.answered) return;
    Stream& stream = found->second;
    stream.answered = true;
    http::ResponseHead head;
    head.status = static_cast<std::uint16_t>(200 + in_.byte() % 2 * 204);
    const std::uint8_t shape = in_.byte();
    stream.known = shape % 3 == 1;
    stream.left = in_.number();
    head.body = shape % 3 == 0   ? http::BodyLength{}
                : shape % 3 == 1 ? http::BodyLength{http::BodyLength::Kind::kKnown, stream.left}
                                 : http::BodyLength{http::BodyLength::Kind::kUnknown, 0};
    head.fields.add("X-Answer", "1");
    head.fields.add("Connection", "close");
    stream.ended = shape % 3 == 0;
    check(server_->send_head(id, head));
  }

  void answer_data(StreamId id) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.over || found->second.ended) return;
    Stream& stream = found->second;
    if (!stream.answered) return answer(id);
    std::size_t size = std::min<std::size_t>(in_.number(), pipeline::kInitialCredit - stream.handed);
    if (stream.known) size = std::min<std::size_t>(size, stream.left);
    if (size != 0) {
      stream.left -= size;
      stream.handed += size;
      server_->send_data(id, std::string(size, 'a'));
    }
    if (in_.byte() % 2 == 0 || (stream.known && stream.left != 0)) return;
    stream.ended = true;
    http::Fields trailers;
    trailers.add("Grpc-Status", "0");
    server_->send_trailers(id, trailers);
  }

  void reset(StreamId id) {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.over) return;
    found->second.over = true;
    server_->reset(id, wire::Http2Error::kCancel);
  }

 private:
  Stream& live(StreamId id) {
    const auto found = streams_.find(id);
    check(found != streams_.end() && !found->second.over);
    return found->second;
  }

  // ---- what it is told

  void on_request_head(StreamId id, http::RequestHead head) override {
    check(!streams_.contains(id));
    Stream& stream = streams_[id];
    check(head.version_major == 2 && !head.authority.empty() && head.fields.count("host") == 1);
    if (head.method == "CONNECT") return;  // the session brings WebSocket to its HTTP/1 form first
    auto forwarded = story().forward(std::move(head));
    if (!forwarded) return;
    stream.forwarded = true;
    stream.message = fuzz::message_of(*forwarded);
    stream.length = forwarded->body;
    check(stream.encoder.head(*forwarded, stream.bytes));
  }
  void on_request_refused(StreamId id, wire::Fault fault, http::RequestHead) override {
    check(!streams_.contains(id));
    check(fault.status >= 400 && fault.status < 500);
    streams_[id].stopped = true;
  }
  void on_request_data(StreamId id, std::span<const char> bytes) override {
    Stream& stream = live(id);
    stream.taken += bytes.size();
    check(!bytes.empty() && !stream.stopped && stream.taken <= stream.granted);
    if (!stream.forwarded) return;
    stream.message.body.append(bytes.begin(), bytes.end());
    check(stream.encoder.data(bytes, stream.bytes));
  }
  void on_request_trailers(StreamId id, http::Fields trailers) override {
    check(!live(id).stopped);
    plan_.strip_trailers(trailers);
    live(id).trailers = std::move(trailers);
  }
  void on_request_end(StreamId id) override {
    Stream& stream = live(id);
    check(!std::exchange(stream.stopped, true));
    if (!stream.forwarded) return;
    check(stream.encoder.end(stream.trailers, stream.bytes));
    fuzz::check_same_to_both(stream.bytes, {stream.message});
  }
  void on_request_fault(StreamId id, wire::Fault fault) override {
    Stream& stream = live(id);
    check(!std::exchange(stream.stopped, true));
    check(fault.status == 400 || fault.status == 413 || fault.status == 431);
    check_unfinished(stream);
  }
  void on_response_sent(StreamId id, std::size_t bytes) override {
    Stream& stream = live(id);
    check(bytes != 0 && bytes <= stream.handed);
    stream.handed -= bytes;
  }
  void on_stream_reset(StreamId id, bool) override {
    Stream& stream = live(id);
    stream.over = true;
    if (!stream.stopped) check_unfinished(stream);
  }
  void on_stream_end(StreamId id) override {
    Stream& stream = live(id);
    check(stream.answered);
    stream.over = true;
  }

  // What was cut off is no message to anybody, so nobody acts on it; but where the length that the head
  // announced is there.
  static void check_unfinished(const Stream& stream) {
    const bool known = stream.length.kind != http::BodyLength::Kind::kUnknown;
    if (!stream.forwarded || (known && stream.taken == stream.length.bytes)) return;
    std::string_view rest;
    check(fuzz::read_strictly(stream.bytes, rest).empty());
    check(!fuzz::LaxReader(stream.bytes).next());
  }

  fuzz::Input& in_;
  wire::Http2Server* server_ = nullptr;
  identity::HeaderPlan plan_{identity::IdentityHeaders()};
  std::map<StreamId, Stream> streams_;
};

support::by_hand::List take_head(fuzz::Input& in) {
  static constexpr auto kMethods = std::to_array<std::string_view>(
      {"GET", "POST", "PUT", "HEAD", "OPTIONS", "DELETE", "CONNECT", "delete", "TRACE"});
  static constexpr auto kPaths = std::to_array<std::string_view>(
      {"/", "/a", "/v1/a", "/v1//x/admin", "/admin", "//x/admin", "/a/..%2fadmin", "*", "/a?b", "", "/a b",
       "http://a/", "/a#b", "/%41/../b"});
  static constexpr auto kSchemes = std::to_array<std::string_view>({"https", "http", "ftp", ""});
  static constexpr auto kAuthorities =
      std::to_array<std::string_view>({"a.example", "a.example:80", "", "a@b", "a b", "[::1]"});
  support::by_hand::List list;
  const std::uint8_t shape = in.byte();
  list.emplace_back(":method", in.pick(kMethods));
  if ((shape & 1U) == 0) list.emplace_back(":scheme", in.pick(kSchemes));
  if ((shape & 2U) == 0) list.emplace_back(":path", in.pick(kPaths));
  if ((shape & 4U) == 0) list.emplace_back(":authority", in.pick(kAuthorities));
  if ((shape & 24U) == 24U) list.emplace_back(":protocol", "websocket");
  for (auto& field : fuzz::take_fields(in)) list.push_back(std::move(field));
  if ((shape & 224U) == 224U) std::swap(list.front(), list.back());
  return list;
}

void run(fuzz::Input& in) {
  using namespace support::by_hand;
  using fuzz::section;
  Application application(in);
  wire::Http2Server server(
      {.max_head_bytes = 2048, .max_fields = 20, .max_body_bytes = 200'000, .max_streams = 16}, application);
  application.set(server);
  fuzz::Windows windows;
  SteadyTime now{std::chrono::seconds(1)};
  server.receive(hello(), now);
  bool patient = false;
  // At once, or as one of many peers is served: a few frames a turn, and requests wait.
  const auto receive = [&](std::string_view bytes) {
    if (!patient) return server.receive(bytes, now);
    while (!bytes.empty()) {
      std::size_t allowance = 1 + bytes.size() % 3;
      bytes.remove_prefix(server.receive(bytes, now, allowance));
      if (bytes.size() % 2 == 1 && server.wants_begin()) server.begin_request();
    }
  };
  std::uint32_t newest = 0;  // the client's streams
  for (int steps = 0; !in.empty() && steps < 300; ++steps) {
    const std::uint8_t what = in.byte();
    patient = what % 5 < 2;
    // One of the last eight streams, or the one that comes next.
    const std::uint32_t back = 2 * static_cast<std::uint32_t>(what >> 4U & 7U);
    const std::uint32_t stream = newest > back ? newest - back : 1;
    const auto id = static_cast<StreamId>(stream);
    switch (what % 12) {
      case 0:
      case 1: {
        newest = newest == 0 ? 1 : newest + 2;
        windows.open(newest);
        const bool end = in.byte() % 2 == 0;
        const std::size_t more = what % 12 == 1 ? in.byte() : 0;
        receive(section(newest, take_head(in), end, more));
        if (what >= 128) application.grant(static_cast<StreamId>(newest), 20'000);
        break;
      }
      case 2:
      case 3: {
        const std::uint8_t shape = in.byte();
        const std::string data =
            shape % 4 == 0 ? std::string(in.number() % 16'000, 'd') : std::string(in.text());
        if (shape % 8 == 1) {
          receive(frame(kData, kPadded | (shape < 128 ? kEnd : 0), stream, "\x3" + data + "ppp"));
        } else {
          receive(frame(kData, shape < 128 ? kEnd : kNone, stream, data));
        }
        break;
      }
      case 4:
        receive(section(stream, fuzz::take_fields(in), in.byte() % 4 != 0, 0));
        break;
      case 5:
        receive(fuzz::take_control(in, stream, windows));
        break;
      case 6:
        application.grant(id, in.number());
        break;
      case 7:
        application.answer(id);
        break;
      case 8:
      case 9:
        application.answer_data(id);
        break;
      case 10:
        if (in.byte() % 4 == 0) application.reset(id);
        now += std::chrono::milliseconds(in.byte());
        break;
      default:
        break;
    }
    if (what % 3 == 0) {
      if (server.wants_begin()) server.begin_request();
      if (server.wants_deliver()) server.deliver();
      std::string out;
      server.take_output(out, kPiece);
      windows.count(out);
      if (server.finished()) break;
    }
  }
  server.terminate(wire::Http2Error::kNoError);
  std::string out;
  server.take_output(out, 1 << 21);
  check(server.finished() && server.open_streams() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in({reinterpret_cast<const char*>(data), size});
  run(in);
  return 0;
}
