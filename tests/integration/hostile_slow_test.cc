// Clients that take their time: with the handshake, with heads, with bodies, with reading. Each is given up
// in time and counted, at the stream where that is enough and else at the connection, and nobody waits for
// it.
#include <sys/socket.h>

#include <thread>

#include "hostile.h"
#include "support/http2_client.h"

namespace holdfast::integration {
namespace {

using namespace by_hand;
using support::Http2Client;

constexpr std::size_t kLarge = 16 * 1024 * 1024;

class HostileSlowTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sidecar =
        std::make_unique<Sidecar>(Settings{.listener = "timeouts: {handshake: 1s, headers: 1s, body_idle: "
                                                       "1s, idle: 1s, stream_idle: 1s, tunnel: 1s}, "});
    sidecar->backend.on_request([](Exchange& exchange) {
      exchange.read_body();
      exchange.respond(200, "", exchange.request.target == "/public/large" ? std::string(kLarge, 'x') : "ok");
    });
  }
  static void TearDownTestSuite() { sidecar.reset(); }

  static std::string ended(std::string_view listener, std::string_view cause) {
    return "holdfast_connection_closes_total{listener=\"" + std::string(listener) + "\",cause=\"" +
           std::string(cause) + "\"}";
  }
  // The plain listener's count goes up by this test's one connection.
  class Counted {
   public:
    explicit Counted(std::string sample) : sample_(std::move(sample)), before_(metric(*sidecar, sample_)) {}
    ~Counted() { EXPECT_TRUE(come()) << sample_; }
    [[nodiscard]] bool come() const { return wait_metric(*sidecar, sample_, before_ + 1); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

   private:
    std::string sample_;
    std::uint64_t before_;
  };
  // Sends a byte now and then until the server has had enough.
  static void drip(Attacker& attacker, std::string_view bytes) {
    for (std::size_t i = 0; i < 200 && !attacker.ended(); ++i) {
      attacker.send(bytes.substr(i % bytes.size(), 1));
      attacker.read(Milliseconds{50});
    }
  }
  static void expect_served() { EXPECT_EQ(sidecar->send({.target = "/public/x"}).status, 200); }

  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<Sidecar> HostileSlowTest::sidecar;

TEST_F(HostileSlowTest, AHandshakeThatDoesNotGoOn) {
  const Counted counted(ended("public", "handshake_timeout"));
  Attacker attacker(Stream::plain(sidecar->tls_port));
  drip(attacker, std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + std::string(500, 'r'));
  EXPECT_TRUE(attacker.ended());
  expect_served();
}

TEST_F(HostileSlowTest, AHandshakeThatIsNone) {
  const Counted counted(ended("public", "handshake_failed"));
  Attacker attacker(Stream::plain(sidecar->tls_port));
  attacker.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(attacker.wait_end());
}

TEST_F(HostileSlowTest, AConnectionThatSaysNothing) {
  const Counted counted(ended("mesh", "handshake_timeout"));
  EXPECT_TRUE(Attacker(sidecar->dial_plain()).wait_end());
}

TEST_F(HostileSlowTest, APrefaceThatDoesNotGoOn) {
  const Counted counted(ended("mesh", "handshake_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send("PRI * HTTP/2.0\r\n");
  EXPECT_TRUE(attacker.wait_end());
}

TEST_F(HostileSlowTest, AHeadOfHttp1) {
  const Counted counted(ended("mesh", "headers_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send("GET /public/x HTTP/1.1\r\nHost: a\r\n");
  drip(attacker, "X-Slow: 1\r\n");
  EXPECT_TRUE(attacker.ended());
  EXPECT_TRUE(attacker.received().starts_with("HTTP/1.1 408 ")) << attacker.received();
  expect_served();
}

TEST_F(HostileSlowTest, AHeadOfHttp2) {
  const Counted counted(ended("mesh", "headers_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send(hello() + frame(kHeaders, kEnd, 1, hpack(get("/public/x"))));
  drip(attacker, frame(kMore, kNone, 1, hpack({{"x-slow", "1"}})));
  EXPECT_TRUE(attacker.ended());
  EXPECT_EQ(attacker.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  expect_served();
}

TEST_F(HostileSlowTest, ABodyOfHttp1) {
  const Counted counted(ended("mesh", "body_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send("POST /public/x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\npart");
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_TRUE(attacker.received().starts_with("HTTP/1.1 408 ")) << attacker.received();
}

// The stream is answered; the connection and its other streams go on.
TEST_F(HostileSlowTest, ABodyOfHttp2) {
  Http2Client client(sidecar->dial_plain());
  const support::Http2Fields head = {
      {":method", "POST"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/public/x"}};
  const auto slow = client.peer.open(head);
  client.peer.send(slow, "part");
  EXPECT_EQ(client.wait_for(slow).status, 408);
  EXPECT_EQ(client.ask(head, "whole").status, 200);
}

TEST_F(HostileSlowTest, AReaderOfHttp1) {
  const Counted counted(ended("mesh", "slow_reader"));
  Attacker attacker(sidecar->dial_plain());
  attacker.take_little();
  attacker.send("GET /public/large HTTP/1.1\r\nHost: a\r\n\r\n");
  ASSERT_TRUE(counted.come());
  // What the kernel had taken may be read; all of it cannot.
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_LT(attacker.received().size(), kLarge);
}

TEST_F(HostileSlowTest, AReaderOfHttp2ThatOpensNoWindow) {
  const Counted counted("holdfast_stream_resets_total{listener=\"mesh\",cause=\"slow_reader\"}");
  Http2Client client(sidecar->dial_plain(), {.stream_window = 0});
  const support::Http2Fields head = {
      {":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/public/large"}};
  EXPECT_EQ(client.wait_for(client.peer.request(head)).reset, NGHTTP2_CANCEL);
  EXPECT_FALSE(client.closed());
}

TEST_F(HostileSlowTest, AReaderOfHttp2ThatReadsNothing) {
  const Counted counted(ended("mesh", "slow_reader"));
  Attacker attacker(sidecar->dial_plain());
  attacker.take_little();
  const std::string windows = frame(kSettings, kNone, 0, number(4, 2) + number(0x7fffffff, 4)) +
                              frame(kWindow, kNone, 0, number(0x7fff0000, 4));
  attacker.send(hello() + windows + headers(1, get("/public/large")));
  ASSERT_TRUE(counted.come());
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_LT(attacker.received().size(), kLarge);
}

TEST_F(HostileSlowTest, AKeptConnectionThatAsksNothing) {
  const Counted counted(ended("mesh", "idle_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send("GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_TRUE(attacker.received().ends_with("\r\n\r\nok"));
}

TEST_F(HostileSlowTest, AnHttp2ConnectionThatAsksNothing) {
  const Counted counted(ended("mesh", "idle_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send(hello());
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_EQ(attacker.goaway(), NGHTTP2_NO_ERROR);
}

TEST_F(HostileSlowTest, ATunnelThroughWhichNothingMoves) {
  const Script script(sidecar->backend, [](Exchange& exchange) {
    exchange.send(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
    while (!exchange.receive().empty()) continue;
    exchange.close();
  });
  const Counted counted(ended("mesh", "tunnel_timeout"));
  Attacker attacker(sidecar->dial_plain());
  attacker.send(
      "GET /public/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_TRUE(attacker.received().starts_with("HTTP/1.1 101 ")) << attacker.received();
}

}  // namespace
}  // namespace holdfast::integration
