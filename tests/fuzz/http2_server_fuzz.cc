// An HTTP/2 client's hostile bytes, behind its preface: whatever comes, the codec tells the same in one piece
// and in pieces, every stream is told of in order and to its end, no more passes than was granted, and what
// it lets through is free of what another reader could see differently.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "wire/http2_server.h"

namespace {

using namespace holdfast;
using wire::StreamId;

constexpr std::string_view kHello("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);

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
    check(field.name != "connection" && field.name != "transfer-encoding" && field.name != "upgrade");
  }
}

struct Owner final : wire::Http2ServerOwner {
  struct Stream {
    std::string log;
    std::string body;  // of a request that goes wrong, how much had passed before depends on the pieces
    std::size_t granted = 0;
    std::size_t taken = 0;
    bool stopped = false;  // nothing of its request may come
    bool over = false;
    bool reset = false;
  };
  std::map<StreamId, Stream> streams;
  wire::Http2Server* server = nullptr;

  Stream& live(StreamId id) {
    const auto found = streams.find(id);
    check(found != streams.end() && !found->second.over);
    return found->second;
  }
  Stream& begin(StreamId id) {
    check(!streams.contains(id));
    return streams[id];
  }
  void answer(StreamId id) const {
    http::ResponseHead head;
    head.status = 200;
    head.body.kind = http::BodyLength::Kind::kUnknown;
    check(server->send_head(id, head));
    server->send_data(id, std::string_view("answer"));
    server->send_end(id);
  }

  void on_request_head(StreamId id, http::RequestHead head) override {
    Stream& stream = begin(id);
    check(!head.method.empty() && is_plain(head.method) && is_plain(head.target));
    check(!head.authority.empty() && is_plain(head.authority));
    check(head.target.starts_with('/') || head.target == "*" || head.method == "CONNECT");
    check(!head.target.contains(' ') && !head.target.contains('#'));
    check(head.fields.count("host") == 1);
    check(head.fields.count("content-length") <= 1);
    check_fields(head.fields);
    stream.log.append("H").append(head.method).append(head.target).append(head.authority);
    for (const auto& field : head.fields) stream.log.append(field.name).append(field.value);
    stream.granted = id % 4 == 1 ? 100'000 : 10;
    server->grant_request(id, stream.granted);
    if (id % 8 == 7) {
      server->reset(id, wire::Http2Error::kCancel);
      stream.over = true;
      stream.reset = true;
    } else if (id % 8 == 5) {
      answer(id);
    }
  }
  void on_request_refused(StreamId id, wire::Fault fault, http::RequestHead) override {
    Stream& stream = begin(id);
    stream.stopped = true;
    check(fault.status >= 400 && fault.status < 500);
    stream.log += "R";
    answer(id);
  }
  void on_request_data(StreamId id, std::span<const char> bytes) override {
    Stream& stream = live(id);
    stream.taken += bytes.size();
    check(!bytes.empty() && !stream.stopped && stream.taken <= stream.granted);
    stream.body.append(bytes.begin(), bytes.end());
  }
  void on_request_trailers(StreamId id, http::Fields trailers) override {
    check(!live(id).stopped);
    check_fields(trailers);
    for (const auto& field : trailers) live(id).log.append(field.name).append(field.value);
  }
  void on_request_end(StreamId id) override {
    Stream& stream = live(id);
    check(!stream.stopped);
    stream.stopped = true;
    stream.log.append("E").append(stream.body);
    answer(id);
  }
  void on_request_fault(StreamId id, wire::Fault fault) override {
    Stream& stream = live(id);
    check(!stream.stopped && (fault.status == 400 || fault.status == 413 || fault.status == 431));
    stream.stopped = true;
    stream.log += "F";
    answer(id);
  }
  void on_response_sent(StreamId id, std::size_t bytes) override {
    check(bytes != 0 && bytes <= 6 && !live(id).over);
  }
  void on_stream_reset(StreamId id, bool) override {
    Stream& stream = live(id);
    stream.over = true;
    stream.reset = true;
  }
  void on_stream_end(StreamId id) override { live(id).over = true; }
};

struct Outcome {
  std::map<StreamId, std::string> logs;
  std::set<StreamId> reset;  // by whomever
  bool broken = false;       // the connection, by the peer
};

// How much is told of a stream that is over before its time depends on the pieces, down to nothing, but not
// what.
bool agree(const std::string& one, const std::string& other) {
  return one.starts_with(other) || other.starts_with(one) || one == "R" || other == "R";
}

// A connection that breaks in the middle of a piece: a flood, or streams out of order, are seen before the
// bytes that they came in are read; and after the client's GOAWAY what is in the same piece still counts. So
// how much is told depends on the pieces, but not what.
void check_same(const Outcome& whole, const Outcome& pieces) {
  const bool broken = whole.broken || pieces.broken;
  for (const auto& [id, log] : pieces.logs) {
    const auto found = whole.logs.find(id);
    const bool early = broken || pieces.reset.contains(id) || whole.reset.contains(id);
    check(found == whole.logs.end() ? early : found->second == log || (early && agree(log, found->second)));
  }
  for (const auto& [id, log] : whole.logs) check(broken || pieces.logs.contains(id));
}

Outcome run(std::string_view bytes, std::size_t piece) {
  Owner owner;
  wire::Http2Server server(
      {.max_head_bytes = 2048, .max_fields = 20, .max_body_bytes = 4096, .max_streams = 8}, owner);
  owner.server = &server;
  const SteadyTime now{std::chrono::seconds(1)};
  server.receive(kHello, now);
  for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
    server.receive(rest.substr(0, piece), now);
  }
  server.deliver();
  std::string out;
  server.take_output(out, 1 << 20);
  Outcome outcome;
  outcome.broken = server.finished();
  server.terminate(wire::Http2Error::kNoError);
  server.take_output(out, 1 << 21);
  check(server.finished() && server.open_streams() == 0);
  for (const auto& [id, stream] : owner.streams) {
    outcome.logs[id] = stream.log;
    if (stream.reset) outcome.reset.insert(id);
  }
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Outcome whole = run(bytes, size + 1);
  check_same(whole, run(bytes, 1));
  check_same(whole, run(bytes, 7));
  return 0;
}
