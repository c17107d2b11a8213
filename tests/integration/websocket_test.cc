// WebSocket through the real binary: the handshake is verified like any request (RFC 6455 4, RFC 8441), the
// tunnel opens after a right 101 and not before, and then bytes pass untouched both ways.
#include <algorithm>
#include <csignal>
#include <mutex>
#include <thread>

#include "sidecar.h"
#include "support/http2_client.h"
#include "support/websocket.h"

namespace holdfast::integration {
namespace {

using support::Http2Client;
using support::Http2Fields;
using support::WebSocketFrame;

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";  // RFC 6455 1.3
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
constexpr std::string_view kExtension = "permessage-deflate; client_max_window_bits";

Request handshake(Request request) {
  return request.add("Connection", "keep-alive, Upgrade")
      .add("Upgrade", "websocket")
      .add("Sec-WebSocket-Version", "13")
      .add("Sec-WebSocket-Key", kKey)
      .add("Sec-WebSocket-Protocol", "chat")
      .add("Sec-WebSocket-Extensions", kExtension);
}

void accept_handshake(Exchange& exchange) {
  support::switch_protocols(exchange, "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: " +
                                          exchange.request.fields.value("sec-websocket-extensions") + "\r\n");
}

// Everything back as it comes, until the client has ended its side.
void echo(Exchange& exchange) {
  accept_handshake(exchange);
  while (true) {
    const std::string bytes = exchange.receive();
    if (bytes.empty() || !exchange.send(bytes)) break;
  }
  exchange.close();
}

std::string noise(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

class Http2WebSocketClient : public Http2Client {
 public:
  explicit Http2WebSocketClient(const Sidecar& sidecar)
      : Http2Client(
            Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2})) {
    // The server's SETTINGS allow the extended CONNECT; libnghttp2 checks that for us.
    run_for(Milliseconds{50});
  }
};

// A tunnel over HTTP/1.1.
struct Tunnel {
  explicit Tunnel(const Sidecar& sidecar) : stream(sidecar.dial()) {
    stream.send(handshake(sidecar.with_proof("GET", "/orders/ws")).raw());
    const auto head = reader.head();
    EXPECT_TRUE(head && head->starts_with("HTTP/1.1 101 "));
  }
  Stream stream;
  MessageReader reader{stream};
};

class WebSocketTest : public SharedSidecar {
 protected:
  static std::int32_t open_over(Http2Client& client, bool with_proof = true) {
    Http2Fields fields = {{":method", "CONNECT"},
                          {":protocol", "websocket"},
                          {":scheme", "https"},
                          {":path", "/orders/h2"},
                          {":authority", std::string(kHost)},
                          {"sec-websocket-version", "13"},
                          {"sec-websocket-extensions", std::string(kExtension)}};
    if (with_proof) {
      for (const auto& [name, value] : sidecar->with_proof("GET", "/orders/h2").fields) {
        fields.emplace_back(name == "DPoP" ? "dpop" : "authorization", value);
      }
    }
    const std::int32_t stream = client.peer.open(fields);
    EXPECT_TRUE(client.run_until([&] { return client.peer.answer(stream).status != 0; }));
    return stream;
  }
};

TEST_F(WebSocketTest, AVerifiedHandshakeOpensATunnel) {
  const Script script(sidecar->backend, echo);
  Stream stream = sidecar->dial();
  Request request = sidecar->with_proof("GET", "/orders/live");
  stream.send(handshake(request).raw());
  MessageReader reader(stream);
  const std::string head = reader.head().value();
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 "));
  const Fields fields = support::parse_fields(head);
  EXPECT_EQ(fields.value("sec-websocket-accept"), kAccept);
  EXPECT_EQ(fields.value("sec-websocket-protocol"), "chat");
  EXPECT_EQ(fields.value("sec-websocket-extensions"), kExtension);
  EXPECT_TRUE(support::equal_ignoring_case(fields.value("upgrade"), "websocket"));
  EXPECT_TRUE(support::equal_ignoring_case(fields.value("connection"), "upgrade"));
  const support::SeenRequest seen = sidecar->backend.last();
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.fields.value("upgrade"), "websocket");
  EXPECT_EQ(seen.fields.value("connection"), "Upgrade");
  EXPECT_EQ(seen.fields.value("sec-websocket-key"), kKey);
  EXPECT_EQ(seen.fields.value("sec-websocket-protocol"), "chat");
  EXPECT_FALSE(seen.fields.has("authorization"));
  EXPECT_FALSE(seen.fields.has("dpop"));
  EXPECT_TRUE(seen.fields.has("x-auth-subject"));
  for (const std::string_view text : {"GET / HTTP/1.1\r\n\r\n", "second"}) {
    stream.send(text);
    EXPECT_EQ(reader.bytes(text.size()), text);
  }
  // Its own end passes on, and the backend's end comes back.
  stream.shutdown_send();
  EXPECT_EQ(reader.rest(), "");
  EXPECT_TRUE(sidecar->holdfast->wait_out("\"path\":\"/orders/live\""));
}

TEST_F(WebSocketTest, LargeAndBinaryBytesPassUntouchedWithBothSidesSlow) {
  const Script script(sidecar->backend, echo);
  const std::string sent = noise(tunable("WEBSOCKET_MIB", 16) * 1024 * 1024);
  Stream stream = sidecar->dial_plain();
  Request request;
  request.target = "/public/ws";
  stream.send(handshake(request).raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().value().starts_with("HTTP/1.1 101 "));
  std::thread sender([&] { stream.send(sent); });
  std::string got;
  while (got.size() < sent.size()) {
    if (got.size() < 100'000) std::this_thread::sleep_for(Milliseconds{20});
    const std::string bytes = reader.some();
    if (bytes.empty()) break;
    got += bytes;
  }
  sender.join();
  EXPECT_TRUE(got == sent);
}

TEST_F(WebSocketTest, OverHttp2) {
  const Script script(sidecar->backend, echo);
  Http2WebSocketClient client(*sidecar);
  EXPECT_EQ(client.wait_for(open_over(client, false)).status, 401);

  const auto stream = open_over(client);
  auto& answer = client.peer.answer(stream);
  EXPECT_EQ(answer.status, 200);
  EXPECT_FALSE(answer.fields.has("sec-websocket-accept"));
  EXPECT_EQ(answer.fields.value("sec-websocket-protocol"), "chat");
  EXPECT_EQ(answer.fields.value("sec-websocket-extensions"), kExtension);
  const support::SeenRequest seen = sidecar->backend.last();
  EXPECT_EQ(seen.method, "GET");
  EXPECT_EQ(seen.fields.value("upgrade"), "websocket");
  EXPECT_EQ(seen.fields.value("sec-websocket-key").size(), 24U);
  EXPECT_EQ(seen.fields.value("sec-websocket-extensions"), kExtension);
  EXPECT_FALSE(seen.fields.has("transfer-encoding"));
  const std::string sent = noise(3'000'000);
  client.peer.send(stream, sent);
  ASSERT_TRUE(client.run_until([&] { return answer.body_bytes == sent.size(); }));
  EXPECT_TRUE(answer.body == sent);
  client.peer.send(stream, "", true);
  EXPECT_TRUE(client.wait_for(stream).ended);
}

// What is in a frame is for the two ends.
TEST_F(WebSocketTest, FramesOfEveryKindPassAsTheyAre) {
  const std::string payload = noise(70'000);
  std::string sent;
  for (const WebSocketFrame& frame :
       std::initializer_list<WebSocketFrame>{{0x81, "text", true},
                                             {0x82, payload, true},
                                             {0x82, payload.substr(0, 200), true},
                                             {0x01, "in ", true},
                                             {0x89, "a ping between fragments", true},
                                             {0x00, "three ", true},
                                             {0x80, "fragments", true},
                                             {0xC2, payload.substr(0, 3000), true},  // compressed
                                             {0x41, "compressed", true},
                                             {0x80, "in fragments", true},
                                             {0x8A, "", true},
                                             {0x83, "an opcode of tomorrow", true},
                                             {0xF2, "bits that were never spoken of", true},
                                             {0x81, "without a mask", false}}) {
    sent += frame.bytes();
  }
  const Script script(sidecar->backend, echo);
  Tunnel http1(*sidecar);
  ASSERT_TRUE(http1.stream.send(sent));
  EXPECT_TRUE(http1.reader.bytes(sent.size()) == sent);
  Http2WebSocketClient client(*sidecar);
  const auto tunnel = open_over(client);
  client.peer.send(tunnel, sent);
  ASSERT_TRUE(client.run_until([&] { return client.peer.answer(tunnel).body_bytes == sent.size(); }));
  EXPECT_TRUE(client.peer.answer(tunnel).body == sent);
}

TEST_F(WebSocketTest, ALargeMessageOverHttp2IsNeverHeldWhole) {
  const std::size_t size = (memory_counts() ? 64 : 4) * 1024 * 1024;
  const Script script(sidecar->backend, echo);
  Http2WebSocketClient client(*sidecar);
  const auto tunnel = open_over(client);
  const std::string sent = WebSocketFrame{0x82, noise(size), true}.bytes();
  client.peer.send(tunnel, sent);
  auto& answer = client.peer.answer(tunnel);
  std::size_t peak = 0;
  ASSERT_TRUE(client.run_until(
      [&] {
        peak = std::max(peak, sidecar->holdfast->resident_kib());
        return answer.body_bytes == sent.size();
      },
      Milliseconds{120'000}));
  EXPECT_TRUE(answer.body == sent);
  if (memory_counts()) {
    EXPECT_LT(peak, 64U * 1024);
  }
}

TEST_F(WebSocketTest, EveryCloseCodePasses) {
  // As a backend does: it says the Close back and closes.
  const Script script(sidecar->backend, [](Exchange& exchange) {
    accept_handshake(exchange);
    std::string bytes;
    std::optional<WebSocketFrame> frame;
    while (!(frame = support::take_frame(bytes))) bytes += exchange.receive();
    frame->masked = false;
    exchange.send(frame->bytes());
    exchange.close();
  });
  std::vector<std::uint16_t> codes{3000, 3999, 4000, 4999, 5000, 0};
  for (std::uint16_t code = 999; code <= 1016; ++code) codes.push_back(code);
  Http2WebSocketClient client(*sidecar);
  for (const std::uint16_t code : codes) {
    const std::string sent = support::close_frame(code, "because", true).bytes();
    const std::string back = support::close_frame(code, "because", false).bytes();
    Tunnel http1(*sidecar);
    http1.stream.send(sent);
    EXPECT_EQ(http1.reader.rest(), back) << code;
    const auto tunnel = open_over(client);
    client.peer.send(tunnel, sent, true);
    EXPECT_EQ(client.wait_for(tunnel).body, back) << code;
    EXPECT_TRUE(client.peer.answer(tunnel).ended) << code;
  }
}

// 1006: no end of a tunnel gets a Close that the other end did not send.
TEST_F(WebSocketTest, AnEndWithoutACloseStaysOne) {
  const std::string half = WebSocketFrame{0x82, "half a frame"}.bytes().substr(0, 8);
  std::atomic<int> waiting{0};
  std::atomic<int> cut{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    accept_handshake(exchange);
    exchange.send(half);
    if (exchange.receive() == "wait") {
      ++waiting;
      cut += exchange.receive().empty() ? 1 : 100;
    }
    exchange.close();
  });
  Tunnel first(*sidecar);
  first.stream.send("go");
  EXPECT_EQ(first.reader.rest(), half);
  Http2WebSocketClient client(*sidecar);
  const auto second = open_over(client);
  client.peer.send(second, "go");
  EXPECT_EQ(client.wait_for(second).body, half);

  Tunnel third(*sidecar);
  third.stream.send("wait");
  const auto fourth = open_over(client);
  client.peer.send(fourth, "wait");
  ASSERT_TRUE(client.run_until([&] { return waiting == 2; }));
  third.stream.reset();
  client.peer.reset(fourth);
  ASSERT_TRUE(client.run_until([&] { return cut == 2; })) << cut;
}

TEST_F(WebSocketTest, NoByteGoesBeforeTheTunnelIsOpen) {
  std::mutex mutex;
  std::string early;
  std::string late;
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    std::string before;
    try {
      before = exchange.receive(Milliseconds{300});
    } catch (const std::exception&) {  // nothing came
    }
    accept_handshake(exchange);
    const std::string after = exchange.receive();
    {
      const std::lock_guard lock(mutex);
      early = before;
      late = after;
    }
    exchange.close();
  });
  Stream stream = sidecar->dial_plain();
  Request request;
  request.target = "/public/ws";
  stream.send(handshake(request).raw() + "smuggled");
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().value().starts_with("HTTP/1.1 101 "));
  EXPECT_TRUE(reader.closed());
  const std::lock_guard lock(mutex);
  EXPECT_EQ(early, "");
  EXPECT_EQ(late, "smuggled");
}

TEST_F(WebSocketTest, ARefusedHandshakeIsAPlainAnswerAndTheConnectionGoesOn) {
  Stream stream = sidecar->dial();
  MessageReader reader(stream);
  const auto refused = [&](Request request) {
    stream.send(request.raw());
    return reader.response();
  };
  Request bare;
  bare.target = "/orders/ws";
  const Response unproven = refused(handshake(bare));
  expect_refusal(unproven, 401, "no_credentials");
  Request old = sidecar->with_proof("GET", "/orders/ws");
  old.add("Connection", "Upgrade").add("Upgrade", "websocket").add("Sec-WebSocket-Version", "8");
  expect_refusal(refused(old.add("Sec-WebSocket-Key", kKey)), 400, "request_malformed");
}

TEST_F(WebSocketTest, OddHandshakesAreRefused) {
  const std::size_t before = sidecar->backend.seen_count();
  for (const std::string_view fields : {
           "Sec-WebSocket-Version: 13\r\n",
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n",
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
           "Sec-WebSocket-Version: 13, 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
           "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nContent-Length: "
           "3\r\n",
       }) {
    const Response answer = sidecar->send_raw(
        "GET /public/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: "
        "websocket\r\n" +
        std::string(fields) + "\r\nabc");
    EXPECT_EQ(answer.status, 400) << fields;
  }
  EXPECT_EQ(sidecar->backend.seen_count(), before);
}

// Anything else to upgrade to is not passed on; the request is one like any other (RFC 9110 7.8).
TEST_F(WebSocketTest, OtherUpgradesAreIgnored) {
  for (const std::string_view fields : {"Connection: Upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n",
                                        "Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"}) {
    EXPECT_EQ(
        sidecar->send_raw("GET /public/u HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "\r\n").status,
        200);
    EXPECT_FALSE(sidecar->backend.last().fields.has("upgrade"));
  }
}

TEST_F(WebSocketTest, TheBackendsAnswerDecides) {
  const auto ask = [&](const std::string& answer) {
    const Script script(sidecar->backend, [answer](Exchange& exchange) {
      exchange.send(answer);
      exchange.close();
    });
    Request request;
    request.target = "/public/ws";
    return sidecar->send_raw(handshake(request).raw());
  };
  EXPECT_EQ(ask("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").body, "no");
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").status, 200);
  // 101 to something else is no answer to this handshake.
  EXPECT_EQ(ask("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n").status, 502);
  EXPECT_EQ(ask("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " +
                support::websocket_accept("dGhlIHNhbXBsZSBub25jZR==") + "\r\n\r\n")
                .status,
            502);
  EXPECT_EQ(ask("HTTP/1.1 101 X\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: " + std::string(kAccept) +
                "\r\n\r\n")
                .status,
            502);
  EXPECT_EQ(ask("HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\nSec-WebSocket-Accept: " +
                std::string(kAccept) + "\r\n\r\n")
                .status,
            502);
}

// `htu` may name the request as its client does.
TEST_F(WebSocketTest, HtuMaySayWss) {
  const Script script(sidecar->backend, echo);
  const Proof proof(sidecar->client, "GET", "wss://api.example.com/orders/ws", sidecar->good_token());
  Request request = Sidecar::with("GET", "/orders/ws", sidecar->good_token(), proof.sign(sidecar->client));
  Stream stream = sidecar->dial();
  stream.send(handshake(request).raw());
  EXPECT_TRUE(MessageReader(stream).head().value().starts_with("HTTP/1.1 101 "));
}

// Contract: "Ending". RFC 6455 7.4.1: 1001, and between frames.
TEST(WebSocketDrainTest, TunnelsAreClosedBeforeTheProcessEnds) {
  Sidecar sidecar({.shutdown = "{delay: 0s, drain: 2s}"});
  std::mutex mutex;
  std::vector<WebSocketFrame> got;
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    accept_handshake(exchange);
    exchange.send(WebSocketFrame{.payload = "hello"}.bytes());
    std::string held;
    while (true) {
      const std::string more = exchange.receive();
      if (more.empty()) break;
      held += more;
      const auto frame = support::take_frame(held);
      if (!frame) continue;
      const std::lock_guard lock(mutex);
      got.push_back(*frame);
      break;
    }
    exchange.close();
  });
  Tunnel tunnel(sidecar);
  Http2WebSocketClient client(sidecar);
  const Request verified = handshake(sidecar.with_proof("GET", "/orders/ws"));
  support::Http2Fields head{{":method", "CONNECT"},
                            {":protocol", "websocket"},
                            {":scheme", "https"},
                            {":authority", std::string(kHost)},
                            {":path", "/orders/ws"},
                            {"sec-websocket-version", "13"},
                            {"sec-websocket-protocol", "chat"}};
  for (const auto& [name, value] : verified.fields) {
    if (name == "DPoP") head.emplace_back("dpop", value);
    if (name == "Authorization") head.emplace_back("authorization", value);
  }
  const auto stream = client.peer.open(head);
  auto& answer = client.peer.answer(stream);
  const std::string hello = WebSocketFrame{.payload = "hello"}.bytes();
  ASSERT_TRUE(client.run_until([&] { return answer.body == hello; }));
  EXPECT_EQ(tunnel.reader.bytes(hello.size()), hello);

  sidecar.holdfast->signal(SIGTERM);
  const WebSocketFrame goodbye = support::close_frame(1001, "draining", false);
  EXPECT_EQ(tunnel.reader.rest(), goodbye.bytes());
  EXPECT_TRUE(client.wait_for(stream).ended);
  EXPECT_EQ(answer.body, hello + goodbye.bytes());
  EXPECT_EQ(sidecar.holdfast->wait_exit(), 0);
  const std::lock_guard lock(mutex);
  const WebSocketFrame told = support::close_frame(1001, "draining", true);
  EXPECT_EQ(got, (std::vector<WebSocketFrame>{told, told}));
  EXPECT_TRUE(sidecar.holdfast->wait_out("\"reason\":\"draining\""));
}

TEST(WebSocketTimeoutTest, ATunnelThroughWhichNothingMovesEnds) {
  Sidecar sidecar({.listener = "timeouts: {tunnel: 300ms}, "});
  std::atomic<bool> ended{false};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    echo(exchange);
    ended = true;
  });
  Stream stream = sidecar.dial_plain();
  Request request;
  request.target = "/public/ws";
  stream.send(handshake(request).raw());
  MessageReader reader(stream);
  ASSERT_TRUE(reader.head().has_value());
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(Milliseconds{150});
    stream.send("x");
    EXPECT_EQ(reader.bytes(1), "x");
  }
  EXPECT_TRUE(reader.closed(Milliseconds{5000}));
  for (int i = 0; i < 100 && !ended; ++i) std::this_thread::sleep_for(Milliseconds{20});
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace holdfast::integration
