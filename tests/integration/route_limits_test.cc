// What a listener, or an upstream, says for all, a route may say for itself: `limits` and `timeouts` of a
// route, each beside a route that leaves it to them.
#include <algorithm>
#include <optional>
#include <thread>

#include "sidecar.h"
#include "support/http2_client.h"
#include "support/http2_server.h"

namespace holdfast::integration {
namespace {

constexpr std::size_t kKiB = 1024;

class RouteLimitsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sidecar = std::make_unique<Sidecar>(Settings{
        .listener = "limits: {max_body: 64KiB}, timeouts: {body_idle: 1h, stream_idle: 1h, tunnel: 1h}, ",
        .routes = R"(
  - {name: small, match: {path: /small}, access: public, limits: {max_body: 1KiB}, upstream: backend}
  - {name: large, match: {path: /large}, access: public, limits: {max_body: unlimited}, upstream: backend}
  - {name: hasty, match: {path: /hasty/**}, access: public, timeouts: {body_idle: 300ms, stream_idle: 300ms, tunnel: 300ms}, upstream: backend}
)"});
  }
  static void TearDownTestSuite() { sidecar.reset(); }
  void SetUp() override {
    sidecar->backend.on_request([](Exchange& exchange) {
      exchange.read_body();
      exchange.respond(200, "", "ok");
    });
    sidecar->backend.forget();
  }

  static Request request_of(std::string_view target, std::string_view method = "POST") {
    Request request;
    request.method = method;
    request.target = target;
    return request;
  }

  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<Sidecar> RouteLimitsTest::sidecar;

TEST_F(RouteLimitsTest, MaxBodyOfTheRoute) {
  for (const auto& [target, size, status] : {std::tuple("/public/x", 64 * kKiB, 200),
                                             {"/public/x", 64 * kKiB + 1, 413},
                                             {"/small", kKiB, 200},
                                             {"/small", kKiB + 1, 413},
                                             {"/large", 200 * kKiB, 200}}) {
    SCOPED_TRACE(std::string(target) + ' ' + std::to_string(size));
    Request known = request_of(target);
    known.body = std::string(size, 'b');
    EXPECT_EQ(sidecar->send(known).status, status);

    Stream stream = sidecar->dial();
    stream.send(request_of(target).add("Transfer-Encoding", "chunked").raw());
    std::string chunked;
    for (std::size_t left = size; left != 0;) {
      const std::size_t piece = std::min<std::size_t>(left, 1000);
      char length[16];
      std::snprintf(length, sizeof length, "%zx\r\n", piece);
      chunked += length + std::string(piece, 'b') + "\r\n";
      left -= piece;
    }
    stream.send(chunked + "0\r\n\r\n");
    MessageReader reader(stream);
    const Response answer = reader.response();
    EXPECT_EQ(answer.status, status);
    if (status != 413) continue;
    expect_refusal(answer, 413, "request_too_large");
    EXPECT_TRUE(reader.closed());
  }
}

TEST_F(RouteLimitsTest, BodyIdleOfTheRoute) {
  Stream stream = sidecar->dial();
  stream.send(request_of("/hasty/x").add("Content-Length", "100").raw() + "part");
  MessageReader reader(stream);
  expect_refusal(reader.response(), 408, "request_timeout");
  Stream other = sidecar->dial();
  other.send(request_of("/public/x").add("Content-Length", "8").raw() + "part");
  std::string received;
  EXPECT_EQ(other.read_some(received, Milliseconds{1000}), support::ReadResult::kTimeout);
  other.send("rest");
  EXPECT_EQ(MessageReader(other).response().status, 200);
}

TEST_F(RouteLimitsTest, StreamIdleOfTheRoute) {
  std::atomic<bool> gave_up{false};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n");
    const std::string piece(64 * kKiB, 'r');
    while (exchange.send(piece)) {
    }
    gave_up = true;
  });
  Stream stream = sidecar->dial_plain();
  stream.send(request_of("/hasty/x", "GET").raw());  // and nothing of the answer is taken
  for (int i = 0; i < 500 && !gave_up; ++i) std::this_thread::sleep_for(Milliseconds{20});
  EXPECT_TRUE(gave_up) << "the listener's stream_idle is an hour";
}

TEST_F(RouteLimitsTest, TunnelOfTheRoute) {
  const Script script(sidecar->backend, [](Exchange& exchange) {
    exchange.send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    while (!exchange.receive(Milliseconds{60'000}).empty()) {
    }
  });
  const auto open = [](Stream& stream, std::string_view target) {
    stream.send(request_of(target, "GET")
                    .add("Connection", "Upgrade")
                    .add("Upgrade", "websocket")
                    .add("Sec-WebSocket-Version", "13")
                    .add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
                    .raw());
  };
  Stream hasty = sidecar->dial_plain();
  open(hasty, "/hasty/ws");
  MessageReader reader(hasty);
  EXPECT_TRUE(reader.head().value_or("").starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(reader.closed(Milliseconds{10'000}));
  Stream patient = sidecar->dial_plain();
  open(patient, "/public/ws");
  MessageReader other(patient);
  EXPECT_TRUE(other.head().value_or("").starts_with("HTTP/1.1 101 "));
  EXPECT_FALSE(other.closed(Milliseconds{1000}));
}

// ---- how long the backend may take to answer

// One upstream has all the time in the world, one has none, and so have the routes, the other way round.
// Nothing answers but `late`, after a while.
class RouteResponseTest : public testing::Test {
 protected:
  static constexpr Milliseconds kLate{1000};

  static Settings settings(const std::string& url) {
    const std::string server = '"' + url + '"';
    return {.upstream = "timeouts: {response: 1h}, servers: [" + server +
                        "]}\n  - {name: hurried, timeouts: {response: 200ms}, ",
            .servers = server,
            .routes = R"(
  - {name: quick, match: {path: /quick/**}, access: public, upstream: backend, timeouts: {response: 200ms}}
  - {name: patient, match: {path: /patient/**}, access: public, upstream: hurried, timeouts: {response: 1h}}
  - {name: hurried, match: {path: /hurried/**}, access: public, upstream: hurried}
)"};
  }
  static Request get(std::string_view target) {
    Request request;
    request.target = target;
    return request;
  }
  static void expect_each_time(const Sidecar& sidecar) {
    expect_refusal(sidecar.send(get("/quick/never")), 504, "upstream_timeout");
    expect_refusal(sidecar.send(get("/hurried/late")), 504, "upstream_timeout");
    const Response answer = sidecar.send(get("/patient/late"));
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "late");
  }
  static std::optional<support::Http2Reply> reply(const support::Http2Request& request) {
    if (!request.fields.value(":path").ends_with("late")) return std::nullopt;
    std::this_thread::sleep_for(kLate);
    return support::Http2Reply{.body = "late"};
  }
};

TEST_F(RouteResponseTest, OverHttp1) {
  HttpServer backend;
  const Script script(backend, [](Exchange& exchange) {
    if (!exchange.request.target.ends_with("late")) {
      EXPECT_EQ(exchange.receive(), "") << "it is given up";
      return exchange.close();
    }
    std::this_thread::sleep_for(kLate);
    exchange.respond(200, "", "late");
  });
  const Sidecar sidecar(settings(backend.url()));
  expect_each_time(sidecar);
}

TEST_F(RouteResponseTest, OverHttp2) {
  support::Http2Server backend;
  backend.on_request(reply);
  const Sidecar sidecar(settings(backend.url()));
  expect_each_time(sidecar);
}

// The route's time or the call's own deadline, whichever is shorter.
TEST_F(RouteResponseTest, OfACallWithADeadline) {
  support::Http2Server backend;
  backend.on_request(reply);
  const Sidecar sidecar(settings(backend.url()));
  support::Http2Client client(
      Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2}));
  for (const auto& [path, deadline, detail] :
       {std::tuple("/quick/never", "1H", "did not answer in time"),
        {"/patient/never", "200m", "the call's own deadline passed"}}) {
    SCOPED_TRACE(path);
    const support::Http2Answer& answer = client.ask({{":method", "POST"},
                                                     {":scheme", "https"},
                                                     {":authority", std::string(kHost)},
                                                     {":path", path},
                                                     {"content-type", "application/grpc"},
                                                     {"te", "trailers"},
                                                     {"grpc-timeout", deadline}},
                                                    "call");
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.fields.value("grpc-status"), "4");
    EXPECT_NE(answer.fields.value("grpc-message").find(detail), std::string::npos)
        << answer.fields.value("grpc-message");
  }
}

}  // namespace
}  // namespace holdfast::integration
