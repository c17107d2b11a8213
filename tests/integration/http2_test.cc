// HTTP/2 towards clients, through the real binary: over TLS by ALPN and on the plain listener by prior
// knowledge. What HTTP/1 tests say of decisions holds for both; here is what HTTP/2 adds: streams, resets,
// malformed requests that touch nobody else, floods, and a drain that finishes what is under way.
#include <chrono>
#include <csignal>
#include <thread>

#include "sidecar.h"
#include "support/http2_client.h"

namespace holdfast::integration {
namespace {

using support::Http2Answer;
using support::Http2Client;
using support::Http2Fields;
using support::Http2Peer;

constexpr std::uint64_t kMiB = 1024 * 1024;

Http2Client over_tls(const Sidecar& sidecar, const Http2Peer::Options& options = {}) {
  Stream stream =
      Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2});
  EXPECT_EQ(stream.alpn_selected(), "h2");
  return Http2Client(std::move(stream), options);
}

Http2Client over_plain(const Sidecar& sidecar, const Http2Peer::Options& options = {}) {
  return Http2Client(sidecar.dial_plain(), options);
}

Http2Fields head(std::string_view method, std::string_view path, std::string_view authority = kHost) {
  return {{":method", std::string(method)},
          {":scheme", "https"},
          {":authority", std::string(authority)},
          {":path", std::string(path)}};
}

Http2Fields with(Http2Fields fields, std::string_view name, std::string_view value) {
  fields.emplace_back(name, value);
  return fields;
}

Http2Fields with_proof(const Sidecar& sidecar, std::string_view method, std::string_view path) {
  Http2Fields fields = head(method, path);
  for (const auto& [name, value] : sidecar.with_proof(method, path).fields) {
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    fields.emplace_back(lower, value);
  }
  return fields;
}

class Http2Test : public SharedSidecar {};

TEST_F(Http2Test, VerifiesAProofAndForwards) {
  Http2Client client = over_tls(*sidecar);
  const Http2Answer& answer = client.ask(with_proof(*sidecar, "POST", "/orders/1?a=b"), "body");
  EXPECT_EQ(answer.status, 200);
  const support::SeenRequest seen = sidecar->backend.last();
  EXPECT_EQ(seen.target, "/orders/1?a=b");
  EXPECT_EQ(seen.body, "body");
  EXPECT_EQ(seen.fields.value("host"), kHost);
  EXPECT_FALSE(seen.fields.has("dpop"));
  EXPECT_FALSE(seen.fields.has("authorization"));
  EXPECT_TRUE(seen.fields.has("x-auth-subject"));
  EXPECT_TRUE(seen.fields.value("via").starts_with("2"));
  EXPECT_TRUE(sidecar->holdfast->wait_out("\"path\":\"/orders/1\""));
}

TEST_F(Http2Test, RefusesWithoutAProofAndAReplay) {
  Http2Client client = over_tls(*sidecar);
  const Http2Answer& bare = client.ask(head("GET", "/orders/1"));
  EXPECT_EQ(bare.status, 401);
  EXPECT_TRUE(bare.fields.value("www-authenticate").starts_with("DPoP"));
  EXPECT_TRUE(bare.body.contains("no_credentials"));
  const Http2Fields once = with_proof(*sidecar, "GET", "/orders/1");
  EXPECT_EQ(client.ask(once).status, 200);
  const Http2Answer& again = client.ask(once);
  EXPECT_EQ(again.status, 401);
  EXPECT_TRUE(again.body.contains("proof_replayed"));
}

TEST_F(Http2Test, PlainListenersSpeakBothAtOnce) {
  Http2Client client = over_plain(*sidecar);
  EXPECT_EQ(client.ask(head("GET", "/public/2")).status, 200);
  EXPECT_EQ(sidecar->send_raw("GET /public/1 HTTP/1.1\r\nHost: a\r\n\r\n").status, 200);
  // In pieces, the first of which could be either.
  Stream slow = sidecar->dial_plain();
  for (const std::string_view piece : {"P", "RI", " * HTTP/2.0\r\n\r\nSM", "\r\n\r\n"}) {
    slow.send(piece);
    std::this_thread::sleep_for(Milliseconds{20});
  }
  slow.send(std::string_view("\0\0\0\4\0\0\0\0\0", 9));
  std::string answer;
  EXPECT_EQ(slow.read_some(answer), support::ReadResult::kBytes);
  EXPECT_EQ(answer.substr(3, 1), "\4");  // SETTINGS
  Stream post = sidecar->dial_plain();
  for (const std::string_view piece :
       {"P", "OST /public/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"}) {
    post.send(piece);
    std::this_thread::sleep_for(Milliseconds{20});
  }
  EXPECT_EQ(MessageReader(post).response().status, 200);
}

TEST_F(Http2Test, AHundredVerifiedStreamsAtOnce) {
  const Script script(sidecar->backend, [](Exchange& exchange) {
    std::this_thread::sleep_for(Milliseconds{20});
    exchange.respond(200, "", exchange.request.target);
  });
  Http2Client client = over_tls(*sidecar);
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 100; ++i) {
    streams.push_back(client.peer.request(with_proof(*sidecar, "GET", "/orders/" + std::to_string(i))));
  }
  for (std::size_t i = 0; i < streams.size(); ++i) {
    const Http2Answer& answer = client.wait_for(streams[i]);
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "/orders/" + std::to_string(i));
  }
}

TEST_F(Http2Test, LargeUploadWithTrailers) {
  const std::uint64_t size = tunable("STREAM_MIB", 64) * kMiB;
  std::atomic<std::uint64_t> arrived{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    if (exchange.request.target.starts_with("/public/")) {
      exchange.read_body();
    } else {
      arrived = exchange.drain_body();
    }
    exchange.respond(200, "", "ok");
  });
  Http2Client client = over_tls(*sidecar);
  const auto stream = client.peer.open(with_proof(*sidecar, "POST", "/orders/1"));
  const std::string block(kMiB, 'u');
  for (std::uint64_t sent = 0; sent < size; sent += kMiB) {
    client.peer.send(stream, block, sent + kMiB >= size);
    ASSERT_TRUE(client.run_until([&] { return client.peer.unsent(stream) == 0; }));
  }
  EXPECT_EQ(client.wait_for(stream).status, 200);
  EXPECT_EQ(arrived, size);
  client.ask(head("POST", "/public/t"), "x", {{"x-checksum", "1"}, {"authorization", "never"}});
  const support::SeenRequest seen = sidecar->backend.last();
  EXPECT_EQ(seen.trailers.value("x-checksum"), "1");
  EXPECT_FALSE(seen.trailers.has("authorization"));
}

TEST_F(Http2Test, ASlowReaderHoldsTheBackendBackAndNobodyElse) {
  const std::size_t size = 64 * kMiB;
  std::atomic<std::size_t> sent{0};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    if (!exchange.request.target.contains("large")) return exchange.respond(200, "", "small");
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n");
    const std::string block(64 * 1024, 'd');
    while (sent < size && exchange.send(block)) sent += block.size();
  });
  Http2Client client = over_tls(*sidecar, {.take_answers = false});
  const auto large = client.peer.request(head("GET", "/public/large"));
  ASSERT_TRUE(client.run_until([&] { return client.peer.answer(large).body_bytes == 65535; }));
  client.run_for(Milliseconds{300});
  EXPECT_LT(sent, 32 * kMiB);  // the kernel's buffers and ours
  EXPECT_EQ(client.ask(head("GET", "/public/other")).body, "small");
  std::size_t taken = 0;
  ASSERT_TRUE(client.run_until([&] {
    const std::size_t there = client.peer.answer(large).body_bytes;
    client.peer.consume(large, there - std::exchange(taken, there));
    return client.peer.answer(large).over();
  }));
  EXPECT_EQ(client.peer.answer(large).body_bytes, size);
  EXPECT_TRUE(client.peer.answer(large).ended);
}

TEST_F(Http2Test, AnswersOfEveryShape) {
  const Script script(sidecar->backend, [](Exchange& exchange) {
    exchange.read_body();
    const std::string& target = exchange.request.target;
    if (target.contains("trailers")) {
      exchange.send(
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\ngrpc-status: 0\r\n\r\n");
    } else if (target.contains("hints")) {
      exchange.send(
          "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    } else if (target.contains("cut")) {
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      exchange.close();
    } else if (exchange.request.method == "HEAD") {
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
    } else {
      exchange.send("HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\nKeep-Alive: 5\r\n\r\n");
    }
  });
  Http2Client client = over_tls(*sidecar);
  const Http2Answer& trailers = client.ask(head("GET", "/public/trailers"));
  EXPECT_EQ(trailers.body, "abc");
  EXPECT_EQ(trailers.trailers.value("grpc-status"), "0");
  EXPECT_FALSE(trailers.fields.has("transfer-encoding"));
  EXPECT_EQ(client.ask(head("GET", "/public/hints")).interim, std::vector<int>{103});
  EXPECT_TRUE(client.ask(head("GET", "/public/cut")).reset.has_value());
  const Http2Answer& none = client.ask(head("HEAD", "/public/h"));
  EXPECT_EQ(none.fields.value("content-length"), "1234");
  EXPECT_EQ(none.body_bytes, 0U);
  const Http2Answer& empty = client.ask(head("GET", "/public/204"));
  EXPECT_EQ(empty.status, 204);
  EXPECT_FALSE(empty.fields.has("connection"));
  EXPECT_FALSE(empty.fields.has("keep-alive"));
}

TEST_F(Http2Test, AResetByTheClientCutsTheBackendOff) {
  std::atomic<bool> cut{false};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    if (!exchange.request.target.contains("endless")) return exchange.respond(200, "", "ok");
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    while (exchange.send("5\r\nhello\r\n")) std::this_thread::sleep_for(Milliseconds{5});
    cut = true;
  });
  Http2Client client = over_tls(*sidecar);
  const auto endless = client.peer.request(head("GET", "/public/endless"));
  ASSERT_TRUE(client.run_until([&] { return client.peer.answer(endless).body_bytes != 0; }));
  client.peer.reset(endless);
  ASSERT_TRUE(client.run_until([&] { return cut.load(); }));
  EXPECT_EQ(client.ask(head("GET", "/public/x")).status, 200);
}

TEST_F(Http2Test, ConnectAndTraceAreNotAllowed) {
  Http2Client client = over_tls(*sidecar);
  const Http2Answer& connect = client.ask({{":method", "CONNECT"}, {":authority", "a.example:443"}});
  EXPECT_EQ(connect.status, 405);
  EXPECT_TRUE(connect.fields.has("allow"));
  EXPECT_EQ(client.ask(head("TRACE", "/public/x")).status, 405);
}

TEST_F(Http2Test, MalformedRequestsTouchNobodyElse) {
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    if (!exchange.request.target.contains("good")) std::this_thread::sleep_for(Milliseconds{1000});
    exchange.respond(200, "", "ok");
  });
  const struct {
    std::string_view name;
    Http2Fields fields;
    std::optional<std::string> body{};
  } cases[] = {
      {"transfer-encoding", with(head("POST", "/public/x"), "transfer-encoding", "chunked"), "a"},
      {"connection", with(head("GET", "/public/x"), "connection", "keep-alive")},
      {"upgrade", with(head("GET", "/public/x"), "upgrade", "websocket")},
      {"te", with(head("GET", "/public/x"), "te", "gzip")},
      {"host differs", with(head("GET", "/public/x"), "host", "evil.example")},
      {"two hosts", with(with(head("GET", "/public/x"), "host", kHost), "host", kHost)},
      {"empty path", head("GET", "")},
      {"path without slash", head("GET", "public/x")},
      {"path with space", head("GET", "/public/x y")},
      {"path with fragment", head("GET", "/public/x#y")},
      {"8-bit path", head("GET", "/public/\xff")},
      {"userinfo", head("GET", "/public/x", "user@api.example.com")},
      {"unknown pseudo", with(head("GET", "/public/x"), ":other", "1")},
      {"pseudo after field", with(with(head("GET", "/public/x"), "a", "b"), ":method", "GET")},
      {"no method", {{":scheme", "https"}, {":authority", std::string(kHost)}, {":path", "/public/x"}}},
      {"no path", {{":method", "GET"}, {":scheme", "https"}, {":authority", std::string(kHost)}}},
      {"CR in value", with(head("GET", "/public/x"), "a", "b\rc")},
      {"LF in value", with(head("GET", "/public/x"), "a", "b\nc: d")},
      {"NUL in value", with(head("GET", "/public/x"), "a", std::string("b\0c", 3))},
      {"space in name", with(head("GET", "/public/x"), "a b", "c")},
      {"colon in name", with(head("GET", "/public/x"), "a:b", "c")},
      {"disguised length", with(head("POST", "/public/x"), "content_length", "1"), "a"},
      {"two lengths", with(with(head("POST", "/public/x"), "content-length", "1"), "content-length", "2"),
       "a"},
      {"length too long", with(head("POST", "/public/x"), "content-length", "9"), "a"},
      {"length too short", with(head("POST", "/public/x"), "content-length", "1"), "abc"},
      {"length on nothing", with(head("GET", "/public/x"), "content-length", "5")},
      {"bad scheme",
       {{":method", "GET"}, {":scheme", "ftp"}, {":authority", std::string(kHost)}, {":path", "/public/x"}}},
  };
  Http2Client client = over_tls(*sidecar);
  for (const auto& each : cases) {
    const Http2Answer& answer = client.ask(each.fields, each.body);
    EXPECT_TRUE(answer.reset || answer.status == 400) << each.name << ": " << answer.status;
    EXPECT_EQ(client.ask(head("GET", "/public/good")).status, 200) << each.name;
  }
  EXPECT_TRUE(client.peer.goaways().empty());
  for (const support::SeenRequest& seen : sidecar->backend.seen()) {
    // One whose length lies shows it after its head only: the backend never gets a whole message of it.
    if (seen.target.contains("good")) continue;
    EXPECT_NE(seen.body, "a");
    EXPECT_NE(seen.body, "abc");
  }
}

TEST_F(Http2Test, UpperCaseNamesAreRefused) {
  Http2Client client = over_tls(*sidecar);
  EXPECT_EQ(client.ask(head("GET", "/public/x")).status, 200);
  // HPACK by hand, because libraries lower names: GET / of /public/x, then "X-A: b" as a literal.
  std::string block = "\x82\x87";  // :method GET, :scheme https
  block += std::string("\x04\x09", 2) + "/public/x";
  block += std::string("\x01\x0f", 2) + "api.example.com";
  block += std::string(
      "\x00\x03X-A\x01"
      "b",
      7);
  std::string frame =
      std::string("\0\0", 2) + static_cast<char>(block.size()) + std::string("\1\5\0\0\0\x65", 6) + block;
  client.send_raw(frame);
  const std::string_view reset("\0\0\4\3\0\0\0\0\x65\0\0\0\1", 13);  // RST_STREAM, PROTOCOL_ERROR
  std::string answer;
  while (!answer.contains(reset) && client.stream().read_some(answer) == support::ReadResult::kBytes) {
  }
  EXPECT_TRUE(answer.contains(reset));
}

// A client that takes no byte of a body, so that no request is answered whole before its reset, however quick
// the answer. What Holdfast took up is counted; what the sockets hold is the machine's affair.
TEST_F(Http2Test, AFloodOfResetsEndsTheConnectionAndNobodyElses) {
  Http2Client other = over_tls(*sidecar);
  Http2Client flood = over_tls(*sidecar, {.stream_window = 0});
  const auto end = std::chrono::steady_clock::now() + support::kPatience;
  while (flood.peer.goaways().empty() && !flood.closed() && std::chrono::steady_clock::now() < end) {
    for (int i = 0; i < 50; ++i) {
      const auto stream = flood.peer.request(head("GET", "/orders/1"));
      if (!flood.send_raw(flood.peer.output())) break;
      flood.peer.reset(stream);
    }
    flood.run_for(Milliseconds{1});
  }
  ASSERT_FALSE(flood.peer.goaways().empty());
  EXPECT_EQ(flood.peer.goaways().back().error, NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_LT(flood.peer.goaways().back().last, 2 * 10'000);
  EXPECT_EQ(other.ask(head("GET", "/public/x")).status, 200);
}

TEST(Http2DrainTest, FinishesWhatIsUnderWay) {
  Sidecar sidecar;
  std::atomic<bool> go{false};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    exchange.read_body();
    while (!go) std::this_thread::sleep_for(Milliseconds{5});
    exchange.respond(200, "", "finished");
  });
  Http2Client client = over_tls(sidecar);
  Http2Client idle = over_tls(sidecar);
  idle.run_for(Milliseconds{50});
  const auto stream = client.peer.request(head("GET", "/public/slow"));
  ASSERT_TRUE(client.run_until([&] { return sidecar.backend.seen_count() == 1; }));
  sidecar.holdfast->signal(SIGTERM);
  ASSERT_TRUE(client.run_until([&] { return client.peer.goaways().size() == 2; }));
  EXPECT_EQ(client.peer.goaways()[1].last, stream);
  EXPECT_TRUE(idle.run_until([&] { return !idle.peer.goaways().empty(); }));
  go = true;
  EXPECT_EQ(client.wait_for(stream).body, "finished");
  (void)client.run_until([] { return false; }, Milliseconds{3000});
  EXPECT_TRUE(client.closed());
  (void)idle.run_until([] { return false; }, Milliseconds{3000});
  EXPECT_TRUE(idle.closed());
  client.stream().shutdown_both();
  idle.stream().shutdown_both();
  EXPECT_EQ(sidecar.holdfast->wait_exit(), 0);
}

// What nobody takes is bounded: a request of a few bytes for a large answer, on many streams.
TEST(Http2LimitsTest, AClientThatTakesNothingIsResetStreamByStream) {
  Sidecar sidecar({.listener = "timeouts: {stream_idle: 300ms}, "});
  const Script script(sidecar.backend,
                      [&](Exchange& exchange) { exchange.respond(200, "", std::string(kMiB, 'x')); });
  Http2Client client = over_tls(sidecar, {.stream_window = 0});
  std::vector<std::int32_t> streams;
  for (int i = 0; i < 20; ++i) streams.push_back(client.peer.request(head("GET", "/public/x")));
  for (const auto stream : streams) EXPECT_EQ(client.wait_for(stream).reset, NGHTTP2_CANCEL);
  EXPECT_FALSE(client.closed());
}

}  // namespace
}  // namespace holdfast::integration
