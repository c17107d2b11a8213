// An HTTP/2 backend's hostile bytes, against four requests of ours: whatever comes, the codec tells the same
// in one piece and in pieces, every stream ends once, an answer that is told of as whole is one, and what it
// lets through is free of what a client could see differently.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include "wire/http2_client.h"

namespace {

using namespace holdfast;
using wire::StreamId;

constexpr std::size_t kRequests = 4;
constexpr std::string_view kHello("\0\0\0\4\0\0\0\0\0", 9);

void check(bool holds) {
  if (!holds) std::abort();
}

bool is_plain(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void check_fields(const http::Fields& fields) {
  for (const auto& field : fields) {
    check(!field.name.empty() && is_plain(field.name) && is_plain(field.value));
    check(std::none_of(field.name.begin(), field.name.end(),
                       [](char c) { return c == ' ' || c == ':' || (c >= 'A' && c <= 'Z'); }));
    check(field.name != "connection" && field.name != "transfer-encoding");
  }
}

struct Owner final : wire::Http2ClientOwner {
  struct Stream {
    std::string log;
    std::string body;
    std::size_t granted = 0;
    std::uint64_t announced = 0;
    bool known = false;
    bool head = false;
    bool ended = false;
    bool over = false;
  };
  std::array<Stream, kRequests> streams;

  Stream& at(StreamId id) {
    check(id % 2 == 1 && id > 0 && static_cast<std::size_t>(id) < 2 * kRequests);
    return streams[static_cast<std::size_t>(id) / 2];
  }
  Stream& live(StreamId id) {
    check(!at(id).over);
    return at(id);
  }

  void on_response_interim(StreamId id, http::ResponseHead head) override {
    check(head.status >= 100 && head.status < 200 && head.status != 101 && !live(id).head);
    check_fields(head.fields);
    live(id).log += "I";
  }
  void on_response_head(StreamId id, http::ResponseHead head) override {
    Stream& stream = live(id);
    check(!stream.head && head.status >= 200 && head.status < 1000);
    check_fields(head.fields);
    stream.head = true;
    stream.known = head.body.kind == http::BodyLength::Kind::kKnown;
    stream.announced = head.body.bytes;
    stream.log.append("H").append(std::to_string(head.status));
    for (const auto& field : head.fields) stream.log.append(field.name).append(field.value);
  }
  void on_response_data(StreamId id, std::span<const char> bytes) override {
    Stream& stream = live(id);
    check(stream.head && !stream.ended && !bytes.empty());
    stream.body.append(bytes.begin(), bytes.end());
    check(stream.body.size() <= stream.granted);
  }
  void on_response_trailers(StreamId id, http::Fields trailers) override {
    check(live(id).head && !live(id).ended);
    check_fields(trailers);
    for (const auto& field : trailers) live(id).log.append(field.name).append(field.value);
  }
  void on_response_end(StreamId id) override {
    Stream& stream = live(id);
    check(stream.head && !stream.ended && (!stream.known || stream.body.size() == stream.announced));
    stream.ended = true;
    stream.log.append("E").append(stream.body);
  }
  void on_request_sent(StreamId id, std::size_t) override { live(id); }
  void on_request_done(StreamId id) override { live(id); }
  void on_stream_reset(StreamId id, wire::Http2Failure) override {
    check(!live(id).ended);
    at(id).over = true;
  }
  void on_stream_end(StreamId id) override {
    check(live(id).ended);
    at(id).over = true;
  }
};

struct Outcome {
  std::array<std::string, kRequests> logs;
  bool calmed = false;
};

Outcome run(std::string_view bytes, std::size_t piece) {
  Owner owner;
  wire::Http2Client client({.max_head_bytes = 2048, .max_fields = 20}, true, owner);
  const SteadyTime now{std::chrono::seconds(1)};
  std::string out;
  client.receive(kHello, now);
  client.take_output(out, 1 << 20);
  constexpr std::array<std::string_view, kRequests> kMethods{"GET", "HEAD", "POST", "POST"};
  for (std::size_t i = 0; i < kRequests; ++i) {
    http::RequestHead head;
    head.method = kMethods[i];
    head.target = "/";
    head.authority = "a.example";
    if (i >= 2) head.body.kind = http::BodyLength::Kind::kUnknown;
    const StreamId id = client.send_head(head);
    if (id == 0) break;
    owner.at(id).granted = i == 0 ? 100'000 : 10;
    client.grant_response(id, owner.at(id).granted);
    if (i == 2) client.send_data(id, std::string_view("some of it"));
  }
  client.take_output(out, 1 << 20);
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    client.receive(rest.substr(0, piece), now);
  }
  client.take_output(out, 1 << 21);
  // What is held comes even when the connection is gone.
  client.lose_connection();
  for (StreamId id = 1; static_cast<std::size_t>(id) < 2 * kRequests; id += 2) {
    owner.at(id).granted += 1'000'000;
    client.grant_response(id, 1'000'000);
  }
  client.deliver();
  check(client.finished());
  Outcome outcome;
  outcome.calmed = client.counts().calmed != 0;
  for (std::size_t i = 0; i < kRequests; ++i) {
    check(owner.streams[i].over);
    outcome.logs[i] = owner.streams[i].log;
  }
  check(client.open_streams() == 0);
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = run(bytes, size + 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}}) {
    const Outcome pieces = run(bytes, piece);
    // A flood is seen before the bytes that it came in are read.
    if (!whole.calmed && !pieces.calmed) check(pieces.logs == whole.logs);
  }
  return 0;
}
