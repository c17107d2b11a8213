// `close_at_expiry` through the real binary: WebSockets are closed with 1008 between frames, streamed answers
// are cut, over HTTP/1.1 and HTTP/2, once a new request with their token would be refused, and not before.
#include <algorithm>
#include <mutex>
#include <thread>

#include "sidecar.h"
#include "support/http2_client.h"
#include "support/websocket.h"

namespace holdfast::integration {
namespace {

using support::close_frame;
using support::Http2Client;
using support::Http2Fields;
using support::take_frame;
using support::WebSocketFrame;
using Clock = std::chrono::system_clock;

// From its making; long enough for a slow machine to open all that a test wants.
constexpr std::int64_t kSeconds = 4;

class ExpiryTest : public testing::Test {
 protected:
  ExpiryTest()
      : sidecar(
            {.issuer = "clock_skew: 0s, ",
             .routes =
                 "  - {name: live, match: {path: /live/**}, close_at_expiry: true, upstream: backend}\n"}) {
    auto made = sidecar.token();
    expires = Clock::from_time_t(support::unix_now() + kSeconds);
    made.payload.number("exp", Clock::to_time_t(expires));
    token = sidecar.issuer.sign(made);
  }

  [[nodiscard]] Request request(std::string_view method, std::string_view target) const {
    return Sidecar::with(method, target, token, sidecar.proof(method, target, token).sign(sidecar.client));
  }
  [[nodiscard]] Request handshake(std::string_view target) const {
    Request made = request("GET", target);
    return made.add("Connection", "Upgrade")
        .add("Upgrade", "websocket")
        .add("Sec-WebSocket-Version", "13")
        .add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  }
  [[nodiscard]] Http2Fields head(std::string_view method, std::string_view target) const {
    const bool websocket = method == "CONNECT";
    Http2Fields fields{{":method", std::string(method)},
                       {":scheme", "https"},
                       {":authority", std::string(kHost)},
                       {":path", std::string(target)}};
    if (websocket) {
      fields.insert(fields.begin() + 1, {":protocol", "websocket"});
      fields.emplace_back("sec-websocket-version", "13");
    }
    for (const auto& [name, value] : request(websocket ? "GET" : method, target).fields) {
      fields.emplace_back(name == "DPoP" ? "dpop" : "authorization", value);
    }
    return fields;
  }
  [[nodiscard]] Stream dial_http2() const {
    return Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2});
  }
  [[nodiscard]] bool is_expired() const { return Clock::now() >= expires; }

  Sidecar sidecar;
  Clock::time_point expires;
  std::string token;
};

WebSocketFrame next_frame(MessageReader& reader, std::string& held) {
  for (;;) {
    if (auto frame = take_frame(held)) return *std::move(frame);
    const std::string more = reader.some();
    if (more.empty()) throw std::runtime_error("ended inside a frame");
    held += more;
  }
}

// ---- WebSocket

class WebSocketExpiryTest : public ExpiryTest {
 protected:
  // Says each frame back, and at a Close closes; what it got is kept.
  WebSocketExpiryTest()
      : script(sidecar.backend, [this](Exchange& exchange) {
          support::switch_protocols(exchange);
          std::string held;
          for (;;) {
            const std::string more = exchange.receive();
            if (more.empty()) break;
            held += more;
            while (auto frame = take_frame(held)) {
              {
                const std::lock_guard lock(mutex);
                got.push_back(*frame);
              }
              frame->masked = false;
              exchange.send(frame->bytes());
              if (frame->first == 0x88) return exchange.close();
            }
          }
          exchange.close();
        }) {}

  void expect_closed_backends(std::size_t count) {
    for (int i = 0; i < 500; ++i) {
      const std::lock_guard lock(mutex);
      if (std::ranges::count(got, close_frame(1008, "token_expired", true)) ==
          static_cast<std::ptrdiff_t>(count))
        return;
      std::this_thread::sleep_for(Milliseconds{10});
    }
    FAIL() << "no Close came to the backend";
  }

  std::mutex mutex;
  std::vector<WebSocketFrame> got;
  Script script;
};

TEST_F(WebSocketExpiryTest, ClientAndBackendAreTold1008) {
  Stream stream = sidecar.dial();
  stream.send(handshake("/live/one").raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().value().starts_with("HTTP/1.1 101 "));
  Http2Client client(dial_http2());
  client.run_for(Milliseconds{50});  // for the server's SETTINGS
  const auto two = client.peer.open(head("CONNECT", "/live/two"));
  auto& answer = client.peer.answer(two);
  ASSERT_TRUE(client.run_until([&] { return answer.status == 200; }));

  // A route without the switch.
  Stream other = sidecar.dial();
  other.send(handshake("/orders/ws").raw());
  MessageReader other_reader(other);
  ASSERT_TRUE(other_reader.head().value().starts_with("HTTP/1.1 101 "));

  // The first fragment of a message: a Close may stand behind it.
  const WebSocketFrame hello{0x02, "hello", true};
  const WebSocketFrame back{0x02, "hello", false};
  stream.send(hello.bytes());
  std::string held;
  EXPECT_EQ(next_frame(reader, held), back);
  client.peer.send(two, hello.bytes());
  ASSERT_TRUE(client.run_until([&] { return answer.body == back.bytes(); }));
  EXPECT_FALSE(is_expired()) << "too slow a machine for this test";

  const WebSocketFrame last = next_frame(reader, held);
  EXPECT_TRUE(is_expired());
  EXPECT_EQ(last, close_frame(1008, "token_expired", false));
  stream.send(close_frame(1008, "", true).bytes());  // as clients answer it
  EXPECT_EQ(reader.rest() + held, "");
  ASSERT_TRUE(client.run_until([&] { return answer.over(); }));
  EXPECT_EQ(answer.body, back.bytes() + last.bytes());
  EXPECT_TRUE(answer.ended);
  expect_closed_backends(2);
  other.send(hello.bytes());
  EXPECT_EQ(other_reader.bytes(back.bytes().size()), back.bytes());
  EXPECT_TRUE(sidecar.holdfast->wait_out("\"reason\":\"token_expired\""));
}

// A frame that was begun and never ends: nobody can be told inside it, so the connection goes.
TEST_F(ExpiryTest, AFrameThatNeverEndsIsCut) {
  const Script script(sidecar.backend, [](Exchange& exchange) {
    support::switch_protocols(exchange);
    exchange.send("\x82\x7E\xFF\xFFhalf");
    while (!exchange.receive(Milliseconds{60000}).empty()) continue;
    exchange.close();
  });
  Stream stream = sidecar.dial();
  stream.send(handshake("/live/one").raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().value().starts_with("HTTP/1.1 101 "));
  Http2Client client(dial_http2());
  client.run_for(Milliseconds{50});
  const auto two = client.peer.open(head("CONNECT", "/live/two"));
  auto& answer = client.peer.answer(two);
  ASSERT_TRUE(client.run_until([&] { return answer.body_bytes == 8; }));
  EXPECT_EQ(reader.bytes(8), "\x82\x7E\xFF\xFFhalf");
  EXPECT_TRUE(reader.closed(Milliseconds{60000}));
  EXPECT_TRUE(is_expired());
  ASSERT_TRUE(client.run_until([&] { return answer.over(); }));
  EXPECT_EQ(answer.reset, NGHTTP2_CANCEL);
}

// ---- streams

TEST_F(ExpiryTest, AStreamedAnswerIsCutSoThatItShows) {
  std::atomic<int> left{0};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ndata: 1\n\n\r\n");
    while (!exchange.receive(Milliseconds{60000}).empty()) continue;  // until somebody hangs up
    ++left;
    exchange.close();
  });
  Stream stream = sidecar.dial();
  stream.send(request("GET", "/live/events").raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().value().starts_with("HTTP/1.1 200 "));
  EXPECT_EQ(reader.bytes(14), "9\r\ndata: 1\n\n\r\n");
  Http2Client client(dial_http2());
  const auto two = client.peer.request(head("GET", "/live/more"));
  auto& answer = client.peer.answer(two);
  Http2Fields grpc = head("POST", "/live/Orders.Watch");
  grpc.emplace_back("content-type", "application/grpc");
  const auto three = client.peer.open(grpc);
  auto& call = client.peer.answer(three);
  ASSERT_TRUE(client.run_until([&] { return answer.body_bytes == 9 && call.body_bytes == 9; }));

  EXPECT_EQ(reader.rest(), "") << "no last chunk";
  EXPECT_TRUE(is_expired());
  ASSERT_TRUE(client.run_until([&] { return answer.over(); }));
  EXPECT_EQ(answer.reset, NGHTTP2_CANCEL);
  ASSERT_TRUE(client.run_until([&] { return call.over(); }));
  EXPECT_TRUE(call.ended);
  EXPECT_EQ(call.trailers.value("grpc-status"), "16");
  EXPECT_EQ(call.trailers.value("grpc-message"), "the access token has expired");
  for (int i = 0; i < 500 && left < 3; ++i) std::this_thread::sleep_for(Milliseconds{10});
  EXPECT_EQ(left, 3) << "the backend's side is over, too";
  // The connection's other streams go on, and the token is refused.
  EXPECT_EQ(client.ask(head("GET", "/live/again")).status, 401);
}

}  // namespace
}  // namespace holdfast::integration
