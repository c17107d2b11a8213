// Backends that speak HTTP/2 by prior knowledge: what reaches them, what comes back, and what their going
// away costs. Contract: `servers` with h2c, `retries`, rows 502 and 504.
#include <atomic>
#include <thread>

#include "sidecar.h"
#include "support/http2_client.h"
#include "support/http2_server.h"

namespace holdfast::integration {
namespace {

using support::Http2Client;
using support::Http2Reply;
using support::Http2Request;
using support::Http2Server;

constexpr std::uint64_t kMiB = 1024 * 1024;

class Http2BackendTest : public testing::Test {
 protected:
  Http2BackendTest()
      : sidecar([this] {
          Settings settings;
          settings.servers = "\"" + backend.url() + "\"";
          return settings;
        }()) {}

  static Request public_request(std::string_view method = "GET", std::string body = {}) {
    Request request;
    request.method = method;
    request.target = "/public/x?y=1";
    request.body = std::move(body);
    return request;
  }

  Http2Server backend;
  Sidecar sidecar;
};

TEST_F(Http2BackendTest, AVerifiedRequestAndItsAnswer) {
  backend.on_request([](const Http2Request& request) -> std::optional<Http2Reply> {
    if (!request.whole) return std::nullopt;
    return Http2Reply{.status = 201, .fields = {{{"x-made", "yes"}}}, .body = "made"};
  });
  Request request = sidecar.with_proof("POST", "/orders/7");
  request.add("X-Kept", "1").add("Connection", "X-Hop").add("X-Hop", "1").add("Cookie", "a=1; b=2");
  request.body = "an order";
  const Response answer = sidecar.send(request);
  EXPECT_EQ(answer.status, 201) << answer.body;
  EXPECT_EQ(answer.body, "made");
  EXPECT_EQ(answer.fields.value("X-Made"), "yes");
  const auto seen = backend.seen();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].body, "an order");
  EXPECT_EQ(seen[0].fields.value(":method"), "POST");
  EXPECT_EQ(seen[0].fields.value(":path"), "/orders/7");
  EXPECT_EQ(seen[0].fields.value(":scheme"), "http");
  EXPECT_EQ(seen[0].fields.value(":authority"), kHost);
  EXPECT_EQ(seen[0].fields.value("content-length"), "8");
  EXPECT_EQ(seen[0].fields.value("x-kept"), "1");
  EXPECT_EQ(seen[0].fields.value("cookie"), "a=1; b=2");
  EXPECT_TRUE(seen[0].fields.has("x-auth-subject"));
  for (const char* gone : {"host", "connection", "x-hop", "dpop", "authorization", "te"}) {
    EXPECT_FALSE(seen[0].fields.has(gone)) << gone;
  }
}

TEST_F(Http2BackendTest, HeadsWithoutBodiesAndInterimOnes) {
  backend.on_request([](const Http2Request& request) -> std::optional<Http2Reply> {
    if (!request.whole) return std::nullopt;
    if (request.fields.value(":method") == "HEAD") return Http2Reply{.fields = {{{"content-length", "77"}}}};
    return Http2Reply{.status = 204, .interim = {103}};
  });
  const Response head = sidecar.send(public_request("HEAD"));
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.value("Content-Length"), "77");
  const Response none = sidecar.send(public_request());
  EXPECT_EQ(none.status, 204);
  EXPECT_EQ(none.interim, std::vector<int>{103});
}

TEST_F(Http2BackendTest, StreamsBothWaysAtOnceWithTrailers) {
  backend.on_request([](const Http2Request&) { return std::optional(Http2Reply{.echo = true}); });
  Stream stream = sidecar.dial();
  Request request = public_request("POST");
  stream.send(request.add("Transfer-Encoding", "chunked").raw());
  MessageReader reader(stream);
  stream.send("5\r\nfirst\r\n");
  ASSERT_TRUE(reader.head()->starts_with("HTTP/1.1 200"));
  EXPECT_EQ(reader.line(), "5");
  EXPECT_EQ(reader.line(), "first");
  // The answer to each piece comes before the next is sent.
  stream.send("6\r\nsecond\r\n");
  EXPECT_EQ(reader.line(), "6");
  EXPECT_EQ(reader.line(), "second");
  stream.send("0\r\nX-Sum: 9\r\n\r\n");
  Fields trailers;
  EXPECT_EQ(reader.chunked(trailers), "");
  EXPECT_EQ(trailers.value("x-sum"), "9");
}

TEST_F(Http2BackendTest, LargeBodiesWithASlowReader) {
  backend.on_request([](const Http2Request& request) -> std::optional<Http2Reply> {
    if (!request.whole) return std::nullopt;
    return Http2Reply{.generated = 64 * kMiB};
  });
  Stream stream = sidecar.dial();
  stream.send(public_request().raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head()->starts_with("HTTP/1.1 200"));
  // The reader rests; what is on the way meanwhile is bounded.
  std::this_thread::sleep_for(Milliseconds{300});
  const std::size_t resting = sidecar.holdfast->resident_kib();
  std::uint64_t place = 0;
  for (std::string size = reader.line(); size != "0"; size = reader.line()) {
    const std::string piece = reader.bytes(std::stoul(size, nullptr, 16));
    for (const char byte : piece) {
      ASSERT_EQ(byte, support::generated_byte(place)) << place;
      ++place;
    }
    EXPECT_EQ(reader.line(), "");
  }
  EXPECT_EQ(place, 64 * kMiB);
  if (memory_counts()) {
    EXPECT_LT(sidecar.holdfast->resident_kib(), resting + 16 * 1024);
  }
}

TEST_F(Http2BackendTest, ALargeUpload) {
  Stream stream = sidecar.dial();
  Request request = public_request("PUT");
  stream.send(request.add("Content-Length", std::to_string(64 * kMiB)).raw());
  const std::string block(kMiB, 'u');
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(stream.send(block));
  EXPECT_EQ(MessageReader(stream).response().status, 200);
  EXPECT_EQ(backend.seen().at(0).body_bytes, 64 * kMiB);
}

TEST_F(Http2BackendTest, ManyRequestsShareFewConnections) {
  constexpr int kClients = 8;
  constexpr int kEach = 25;
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      Stream stream = sidecar.dial();
      MessageReader reader(stream);
      for (int k = 0; k < kEach; ++k) {
        stream.send(public_request("POST", "body").raw());
        if (reader.response().body == "ok") ++good;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, kClients * kEach);
  EXPECT_LE(backend.connections_accepted(), 2) << "one a worker";
}

TEST_F(Http2BackendTest, GoawayLosesNoRequest) {
  std::atomic<int> count{0};
  backend.on_request([&](const Http2Request& request) -> std::optional<Http2Reply> {
    if (!request.whole) return std::nullopt;
    return Http2Reply{.body = "ok", .goaway = ++count % 20 == 0};
  });
  constexpr int kClients = 6;
  constexpr int kEach = 40;
  std::vector<std::thread> clients;
  std::atomic<int> good{0};
  for (int i = 0; i < kClients; ++i) {
    clients.emplace_back([&] {
      Stream stream = sidecar.dial();
      MessageReader reader(stream);
      for (int k = 0; k < kEach; ++k) {
        // POST: only what was not processed may be sent again.
        stream.send(public_request("POST", "body").raw());
        const Response answer = reader.response();
        good += answer.status == 200 ? 1 : 0;
        EXPECT_EQ(answer.status, 200) << answer.body;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(good, kClients * kEach);
  EXPECT_GE(backend.connections_accepted(), 6);
}

TEST_F(Http2BackendTest, ABackendThatResetsOrCuts) {
  backend.on_request([](const Http2Request& request) -> std::optional<Http2Reply> {
    if (!request.whole) return std::nullopt;
    if (request.body == "cut") return Http2Reply{.cut = true};
    if (request.body == "reset") return Http2Reply{.reset = 2};
    return Http2Reply{.body = "ok"};
  });
  for (const char* how : {"cut", "reset"}) {
    expect_refusal(sidecar.send(public_request("POST", how)), 502, "upstream_unavailable");
    EXPECT_EQ(sidecar.send(public_request("POST", "fine")).status, 200);
  }
}

TEST_F(Http2BackendTest, AnAnswerThatIsCutOffIsNotPassedAsWhole) {
  backend.on_request([](const Http2Request& request) -> std::optional<Http2Reply> {
    if (!request.whole) return std::nullopt;
    // Less than it announced.
    return Http2Reply{.fields = {{{"content-length", "10"}}}, .body = "short"};
  });
  Stream stream = sidecar.dial();
  stream.send(public_request("POST", "x").raw());
  MessageReader reader(stream);
  const auto head = reader.head();
  if (head->starts_with("HTTP/1.1 200")) {
    EXPECT_LT(reader.rest().size(), 10U);
  } else {
    EXPECT_TRUE(head->starts_with("HTTP/1.1 502")) << *head;
  }
}

// RFC 9113 7, and gRPC over HTTP/2, "Errors": the client learns why its answer broke off, unless it would
// take it for whole, or as not begun.
TEST_F(Http2BackendTest, WhyAnAnswerBrokeOffIsPassedOn) {
  backend.on_request([](const Http2Request& request) {
    const std::string code = request.fields.value("x-code");
    return std::optional(
        Http2Reply{.body = "half", .broken_off = static_cast<std::uint32_t>(std::stoul(code))});
  });
  Http2Client client(
      Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2}));
  // The request ends once half of the answer is there.
  const auto call = [&](const char* code, const char* type) -> const support::Http2Answer& {
    const auto stream = client.peer.open({{":method", "POST"},
                                          {":scheme", "https"},
                                          {":authority", std::string(kHost)},
                                          {":path", "/public/x"},
                                          {"content-type", type},
                                          {"x-code", code}});
    EXPECT_TRUE(client.run_until([&] { return client.peer.answer(stream).body == "half"; })) << code;
    client.peer.send(stream, "", true);
    return client.wait_for(stream);
  };
  const struct {
    const char* theirs;
    std::uint32_t ours;
    const char* grpc;
  } rows[] = {{"8", 8, "1"}, {"0", 2, "14"}, {"7", 2, "14"}, {"2", 2, "14"}, {"11", 2, "8"}};
  for (const auto& row : rows) {
    const support::Http2Answer& answer = call(row.theirs, "text/plain");
    EXPECT_FALSE(answer.ended) << row.theirs;
    EXPECT_EQ(answer.reset, row.ours) << row.theirs;
    const support::Http2Answer& grpc = call(row.theirs, "application/grpc");
    EXPECT_TRUE(grpc.ended) << row.theirs;
    EXPECT_EQ(grpc.trailers.value("grpc-status"), row.grpc) << row.theirs;
  }
}

TEST_F(Http2BackendTest, AWebSocketIsRefusedWithAWordOnWhy) {
  Request request = public_request();
  request.add("Connection", "Upgrade").add("Upgrade", "websocket").add("Sec-WebSocket-Version", "13");
  const Response answer = sidecar.send(request.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="));
  expect_refusal(answer, 502, "upstream_unavailable");
  EXPECT_NE(answer.body.find("h2c:// servers"), std::string::npos) << answer.body;
  EXPECT_EQ(backend.connections_accepted(), 0);
}

TEST(Http2BackendGarbageTest, IsBadGateway) {
  Settings settings;
  support::HttpServer http1;
  settings.servers = "\"h2c://127.0.0.1:" + std::to_string(http1.port()) + "\"";
  const Sidecar sidecar(settings);
  Request request;
  request.target = "/public/x";
  request.method = "POST";
  for (const char* raw : {"garbage\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""}) {
    const Script script(http1, [&](Exchange& exchange) {
      exchange.send(raw);
      exchange.close();
    });
    expect_refusal(sidecar.send(request), 502, "upstream_unavailable");
  }
}

TEST(Http2BackendSlowTest, IsGatewayTimeout) {
  Http2Server backend;
  backend.on_request([](const Http2Request&) { return std::optional<Http2Reply>(); });
  Settings settings;
  settings.servers = "\"" + backend.url() + "\"";
  settings.upstream = "timeouts: {response: 300ms}, ";
  const Sidecar sidecar(settings);
  Request request;
  request.target = "/public/x";
  expect_refusal(sidecar.send(request), 504, "upstream_timeout");
}

}  // namespace
}  // namespace holdfast::integration
