// An HTTP/2 backend's session, as frames that a fuzzer composes, against requests of ours with bodies. Every
// stream ends once; an answer that is told of as whole is one, and encoded for a client of HTTP/1 it is the
// same answer; no more of it passes than was granted; and what we send keeps to the backend's windows.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "answer.h"
#include "http2_program.h"
#include "message.h"
#include "wire/http2_client.h"

namespace {

using namespace holdfast;
using fuzz::check;
using wire::StreamId;

constexpr std::size_t kPiece = 4096;

class Requests final : public wire::Http2ClientOwner {
 public:
  void set(wire::Http2Client& client) { client_ = &client; }

  [[nodiscard]] StreamId open(std::uint8_t shape) {
    if (!client_->may_open()) return 0;
    http::RequestHead head;
    head.method = shape % 3 == 0 ? "GET" : shape % 3 == 1 ? "HEAD" : "POST";
    head.target = "/";
    head.authority = "a.example";
    if (shape % 3 == 2) head.body.kind = http::BodyLength::Kind::kUnknown;
    const StreamId id = client_->send_head(head);
    check(id != 0 && !streams_.contains(id));
    streams_[id].head_request = shape % 3 == 1;
    return id;
  }
  void grant(StreamId id, std::size_t bytes) {
    Stream* const stream = find(id);
    if (stream == nullptr) return;
    stream->granted += bytes;
    client_->grant_response(id, bytes);
  }
  void send(StreamId id, std::size_t bytes, bool end) {
    Stream* const stream = find(id);
    if (stream == nullptr) return;
    stream->handed += bytes;
    client_->send_data(id, std::string(bytes, 'd'));
    if (end) client_->send_end(id);
  }
  void reset(StreamId id) {
    Stream* const stream = find(id);
    if (stream == nullptr) return;
    stream->over = true;
    client_->reset(id, wire::Http2Error::kCancel);
  }
  // The connection is gone; what came whole is handed out.
  void finish() {
    client_->lose_connection();
    for (auto& [id, stream] : streams_) {
      if (!stream.over) grant(id, 1'000'000);
    }
    client_->deliver();
    for (const auto& [id, stream] : streams_) check(stream.over);
  }

 private:
  struct Stream {
    bool head_request = false;
    bool ended = false;
    bool over = false;
    std::size_t granted = 0;
    std::size_t handed = 0;
    std::optional<http::ResponseHead> head;
    std::string body;
    http::Fields trailers;
  };

  Stream* find(StreamId id) {
    const auto found = streams_.find(id);
    return found == streams_.end() || found->second.over ? nullptr : &found->second;
  }
  Stream& live(StreamId id) {
    Stream* const stream = find(id);
    check(stream != nullptr);
    return *stream;
  }

  void on_response_interim(StreamId id, http::ResponseHead head) override {
    check(head.status >= 100 && head.status < 200 && head.status != 101 && !live(id).head);
  }
  void on_response_head(StreamId id, http::ResponseHead head) override {
    check(!live(id).head && head.status >= 200 && head.status < 1000);
    live(id).head = std::move(head);
  }
  void on_response_data(StreamId id, std::span<const char> bytes) override {
    Stream& stream = live(id);
    check(stream.head && !stream.ended && !bytes.empty());
    stream.body.append(bytes.begin(), bytes.end());
    check(stream.body.size() <= stream.granted);
  }
  void on_response_trailers(StreamId id, http::Fields trailers) override {
    check(live(id).head && !live(id).ended);
    live(id).trailers = std::move(trailers);
  }
  void on_response_end(StreamId id) override {
    Stream& stream = live(id);
    check(stream.head && !std::exchange(stream.ended, true));
    fuzz::check_answer(std::move(*stream.head), stream.body, stream.trailers, stream.head_request);
  }
  void on_request_sent(StreamId id, std::size_t bytes) override {
    check(bytes != 0 && bytes <= live(id).handed);
    live(id).handed -= bytes;
  }
  void on_request_done(StreamId id) override { (void)live(id); }
  void on_stream_reset(StreamId id, wire::Http2Failure) override {
    check(!live(id).ended);
    live(id).over = true;
  }
  void on_stream_end(StreamId id) override {
    check(live(id).ended);
    live(id).over = true;
  }

  wire::Http2Client* client_ = nullptr;
  std::map<StreamId, Stream> streams_;
};

void run(fuzz::Input& in) {
  using namespace support::by_hand;
  using fuzz::section;
  static constexpr auto kStatuses = std::to_array<std::string_view>(
      {"200", "204", "304", "100", "103", "404", "101", "000", "20", "2000", "999", "099"});
  Requests requests;
  wire::Http2Client client({.max_head_bytes = 2048, .max_fields = 20, .max_streams = 16}, false, requests);
  requests.set(client);
  fuzz::Windows windows;
  SteadyTime now{std::chrono::seconds(1)};
  client.receive(frame(kSettings, kNone, 0), now);
  std::string begin;
  client.take_output(begin, kPiece);
  check(begin.starts_with(kPreface));
  windows.count(std::string_view(begin).substr(kPreface.size()));
  StreamId newest = 0;
  for (int steps = 0; !in.empty() && steps < 300; ++steps) {
    const std::uint8_t what = in.byte();
    const StreamId back = 2 * (what >> 4U & 7U);
    const StreamId id = newest > back ? newest - back : 1;
    const auto stream = static_cast<std::uint32_t>(id);
    switch (what % 11) {
      case 0:
        if (const StreamId opened = requests.open(in.byte()); opened != 0) {
          newest = opened;
          windows.open(static_cast<std::uint32_t>(newest));
          if (what >= 128) requests.grant(newest, 20'000);
        }
        break;
      case 1:
      case 2: {
        List list{{":status", std::string(in.pick(kStatuses))}};
        for (auto& field : fuzz::take_fields(in)) list.push_back(std::move(field));
        const std::uint8_t shape = in.byte();
        client.receive(section(stream, list, shape % 4 == 0, what % 11 == 1 ? 0 : shape), now);
        break;
      }
      case 3:
      case 4: {
        const std::uint8_t shape = in.byte();
        const std::string data =
            shape % 4 == 0 ? std::string(in.number() % 16'000, 'a') : std::string(in.text());
        client.receive(frame(kData, shape < 128 ? kEnd : kNone, stream, data), now);
        break;
      }
      case 5:
        client.receive(section(stream, fuzz::take_fields(in), in.byte() % 4 != 0, 0), now);
        break;
      case 6:
        client.receive(fuzz::take_control(in, stream, windows), now);
        break;
      case 7:
        requests.grant(id, in.number());
        break;
      case 8:
        requests.send(id, in.number(), in.byte() % 4 == 0);
        break;
      case 9:
        if (in.byte() % 4 == 0) requests.reset(id);
        now += std::chrono::milliseconds(in.byte());
        break;
      default:
        client.receive(frame(kGoaway, kNone, 0, number(stream, 4) + number(in.byte() % 14, 4)), now);
    }
    if (what % 3 == 0) {
      if (client.wants_deliver()) client.deliver();
      std::string out;
      client.take_output(out, kPiece);
      windows.count(out);
      if (client.finished()) break;
    }
  }
  requests.finish();
  check(client.finished() && client.open_streams() == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input in({reinterpret_cast<const char*>(data), size});
  run(in);
  return 0;
}
