// HTTP/1.1 as it passes through: keep-alive, pipelining, bodies of every framing in both directions, HEAD,
// interim answers, and messages that two parsers could read in two ways. RFC 9112.
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

class FramingTest : public SharedSidecar {
 protected:
  static Request public_request(std::string_view target = "/public/x", std::string_view method = "GET") {
    Request request;
    request.method = method;
    request.target = target;
    return request;
  }

  // The answer and whether the connection was then closed by the proxy.
  struct Refused {
    Response answer;
    bool closed;
  };
  static Refused send_bad(std::string_view bytes) {
    Stream stream = sidecar->dial_plain();
    stream.send(bytes);
    MessageReader reader(stream);
    Response answer = reader.response();
    const bool closed = reader.closed();
    return {std::move(answer), closed};
  }
};

TEST_F(FramingTest, KeepAliveOverTls12And13) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    support::TlsOptions options;
    options.server_name = kHost;
    options.min_version = options.max_version = version;
    Stream stream = Stream::tls(sidecar->tls_port, options);
    MessageReader reader(stream);
    for (int i = 0; i < 5; ++i) {
      stream.send(sidecar->with_proof("GET", "/orders/" + std::to_string(i)).raw());
      ASSERT_EQ(reader.response().status, 200);
    }
  }
}

TEST_F(FramingTest, Tls11IsRefused) {
  support::TlsOptions options;
  options.min_version = options.max_version = TLS1_1_VERSION;
  EXPECT_THROW(Stream::tls(sidecar->tls_port, options), std::runtime_error);
}

TEST_F(FramingTest, AlpnChoosesHttp11) {
  support::TlsOptions options;
  options.alpn = "\x08http/1.1";
  EXPECT_EQ(Stream::tls(sidecar->tls_port, options).alpn_selected(), "http/1.1");
}

TEST_F(FramingTest, UpstreamConnectionsAreReused) {
  Stream stream = sidecar->dial();
  MessageReader reader(stream);
  for (int i = 0; i < 20; ++i) {
    stream.send(public_request().raw());
    ASSERT_EQ(reader.response().status, 200);
  }
  const auto seen = sidecar->backend.seen();
  ASSERT_EQ(seen.size(), 20U);
  EXPECT_EQ(seen.back().connection, seen[1].connection)
      << "requests of one client in a row share a backend connection";
}

TEST_F(FramingTest, PipelinedRequestsAreAnsweredInOrder) {
  sidecar->backend.on_request([](Exchange& exchange) {
    // The first takes longest: answers must wait for their turn.
    if (exchange.request.target == "/public/0") std::this_thread::sleep_for(Milliseconds{100});
    exchange.respond(200, "", exchange.request.target);
  });
  std::string bytes;
  for (int i = 0; i < 10; ++i) bytes += public_request("/public/" + std::to_string(i)).raw();
  Stream stream = sidecar->dial();
  stream.send(bytes);
  MessageReader reader(stream);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(reader.response().body, "/public/" + std::to_string(i));
}

TEST_F(FramingTest, PipelinedBodiesDoNotRunIntoEachOther) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.read_body();
    exchange.respond(200, "", exchange.request.body);
  });
  Request first = public_request("/public/a", "POST");
  first.body = "GET /orders/evil HTTP/1.1\r\nHost: x\r\n\r\n";
  Request second = public_request("/public/b", "POST");
  second.add("Transfer-Encoding", "chunked");
  Stream stream = sidecar->dial();
  stream.send(first.raw() + second.raw() + "5;ext=\"1\"\r\nhello\r\n1\r\n!\r\n0\r\n\r\n" +
              public_request("/public/c").raw());
  MessageReader reader(stream);
  EXPECT_EQ(reader.response().body, first.body);
  EXPECT_EQ(reader.response().body, "hello!");
  EXPECT_EQ(reader.response().status, 200);
  EXPECT_EQ(sidecar->backend.seen_count(), 3U);
}

TEST_F(FramingTest, BytesThatTrickleIn) {
  Request request = sidecar->with_proof("POST", "/orders/1");
  request.body = "slow body";
  Stream stream = sidecar->dial_plain();
  // The plain listener's own origin: loopback.
  request = public_request("/public/slow", "POST");
  request.body = "slow body";
  for (const char byte : request.raw()) {
    ASSERT_TRUE(stream.send(std::string_view(&byte, 1)));
    std::this_thread::sleep_for(Milliseconds{1});
  }
  EXPECT_EQ(MessageReader(stream).response().status, 200);
  EXPECT_EQ(sidecar->backend.last().body, "slow body");
}

TEST_F(FramingTest, Head) {
  Request request = sidecar->with_proof("HEAD", "/orders/1");
  Stream stream = sidecar->dial();
  stream.send(request.raw() + public_request().raw());
  MessageReader reader(stream);
  const Response head = reader.response(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.fields.value("Content-Length"), "2");
  EXPECT_EQ(reader.response().body, "ok") << "no body followed the answer to HEAD";
}

TEST_F(FramingTest, RefusedHeadHasNoBody) {
  Stream stream = sidecar->dial();
  stream.send(public_request("/orders/1", "HEAD").raw() + public_request().raw());
  MessageReader reader(stream);
  EXPECT_EQ(reader.response(true).status, 401);
  EXPECT_EQ(reader.response().status, 200);
}

TEST_F(FramingTest, AnswerFramings) {
  struct Row {
    const char* name;
    const char* raw;
    bool close;
    int status;
    const char* body;
  };
  const Row rows[] = {
      {"Content-Length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", false, 200, "abc"},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
       false, 200, "abc"},
      {"until close", "HTTP/1.1 200 OK\r\n\r\nabc", true, 200, "abc"},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", true, 200, "abc"},
      {"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", false, 200, ""},
      {"204", "HTTP/1.1 204 No Content\r\n\r\n", false, 204, ""},
      {"304", "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", false, 304, ""},
      {"a status of its own", "HTTP/1.1 418 I'm a teapot\r\nContent-Length: 3\r\n\r\nabc", false, 418, "abc"},
      {"no reason phrase", "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\nabc", false, 200, "abc"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      exchange.read_body();
      exchange.send(row.raw);
      if (row.close) exchange.close();
    });
    const Response answer = sidecar->send(public_request());
    EXPECT_EQ(answer.status, row.status) << answer.head;
    EXPECT_EQ(answer.body, row.body);
  }
}

TEST_F(FramingTest, AnswerTrailersPass) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.read_body();
    exchange.send(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: "
        "7\r\n\r\n");
  });
  const Response answer = sidecar->send(public_request().add("TE", "trailers"));
  EXPECT_EQ(answer.body, "abc");
  EXPECT_EQ(answer.trailers.value("X-Sum"), "7");
}

TEST_F(FramingTest, RequestTrailersPass) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.read_body();
    exchange.respond(200, "", "ok");
  });
  Stream stream = sidecar->dial();
  stream.send(
      public_request("/public/x", "POST").add("Transfer-Encoding", "chunked").add("Trailer", "X-Sum").raw() +
      "3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n");
  EXPECT_EQ(MessageReader(stream).response().status, 200);
  EXPECT_EQ(sidecar->backend.last().trailers.value("X-Sum"), "7");
}

TEST_F(FramingTest, InterimAnswersPass) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.send("HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n");
    exchange.respond(200, "", "ok");
  });
  const Response answer = sidecar->send(public_request());
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
}

TEST_F(FramingTest, HttpTenClientGetsNoChunks) {
  sidecar->backend.on_request([](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  });
  Stream stream = sidecar->dial_plain();
  stream.send("GET /public/x HTTP/1.0\r\nHost: localhost\r\n\r\n");
  MessageReader reader(stream);
  const Response answer = reader.response();
  EXPECT_FALSE(answer.chunked) << answer.head;
  EXPECT_EQ(answer.body, "abc");
  EXPECT_TRUE(reader.closed());
}

TEST_F(FramingTest, Expect100IsAnsweredBeforeTheBody) {
  Stream stream = sidecar->dial();
  MessageReader reader(stream);
  stream.send(
      public_request("/public/x", "POST").add("Expect", "100-continue").add("Content-Length", "5").raw());
  const auto interim = reader.head();
  ASSERT_TRUE(interim.has_value());
  EXPECT_TRUE(interim->starts_with("HTTP/1.1 100")) << *interim;
  stream.send("hello");
  EXPECT_EQ(reader.response().status, 200);
  EXPECT_EQ(sidecar->backend.last().body, "hello");
}

TEST_F(FramingTest, Expect100IsNotAnsweredForARefusedRequest) {
  Stream stream = sidecar->dial();
  stream.send(
      public_request("/orders/1", "POST").add("Expect", "100-continue").add("Content-Length", "5").raw());
  const Response answer = MessageReader(stream).response();
  EXPECT_TRUE(answer.interim.empty());
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(FramingTest, ConnectionCloseIsHonoured) {
  Stream stream = sidecar->dial();
  stream.send(public_request().add("Connection", "close").raw());
  MessageReader reader(stream);
  const Response answer = reader.response();
  EXPECT_TRUE(support::equal_ignoring_case(answer.fields.value("Connection"), "close")) << answer.head;
  EXPECT_TRUE(reader.closed());
}

TEST_F(FramingTest, RefusalKeepsAGoodConnection) {
  Stream stream = sidecar->dial();
  MessageReader reader(stream);
  stream.send(public_request("/orders/1").raw());
  EXPECT_EQ(reader.response().status, 401);
  stream.send(sidecar->with_proof("GET", "/orders/1").raw());
  EXPECT_EQ(reader.response().status, 200);
}

TEST_F(FramingTest, RefusedUploadDoesNotBecomeTheNextRequest) {
  Request refused = public_request("/orders/1", "POST");
  refused.body = "GET /public/smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n";
  Stream stream = sidecar->dial();
  stream.send(refused.raw());
  MessageReader reader(stream);
  EXPECT_EQ(reader.response().status, 401);
  stream.send(public_request("/public/next").raw());
  const std::string rest = [&] {
    try {
      return reader.response().status == 200 ? std::string("200") : std::string("other");
    } catch (const std::runtime_error&) {
      return std::string("closed");
    }
  }();
  EXPECT_NE(rest, "other");
  EXPECT_FALSE(sidecar->backend.find("/public/smuggled").has_value());
}

TEST_F(FramingTest, AmbiguousMessagesAreRefusedAndClosed) {
  struct Row {
    const char* name;
    int status;
    std::string bytes;
  };
  const std::string host = "Host: localhost\r\n";
  const Row rows[] = {
      {"both lengths", 400,
       "POST /public/x HTTP/1.1\r\n" + host +
           "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"two different lengths", 400,
       "POST /public/x HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"},
      {"a list of lengths", 400, "POST /public/x HTTP/1.1\r\n" + host + "Content-Length: 3, 4\r\n\r\nabcd"},
      {"signed length", 400, "POST /public/x HTTP/1.1\r\n" + host + "Content-Length: +3\r\n\r\nabc"},
      {"hex length", 400, "POST /public/x HTTP/1.1\r\n" + host + "Content-Length: 0x3\r\n\r\nabc"},
      {"length over 2^64", 400,
       "POST /public/x HTTP/1.1\r\n" + host + "Content-Length: 18446744073709551617\r\n\r\nabc"},
      {"chunked twice", 400,
       "POST /public/x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"},
      {"chunked not last", 400,
       "POST /public/x HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
      {"hidden chunked", 400,
       "POST /public/x HTTP/1.1\r\n" + host +
           "Transfer-Encoding: \x0b"
           "chunked\r\n\r\n0\r\n\r\n"},
      {"Transfer-Encoding in HTTP/1.0", 400,
       "POST /public/x HTTP/1.0\r\n" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
      {"space before the colon", 400, "GET /public/x HTTP/1.1\r\n" + host + "X-A : 1\r\n\r\n"},
      {"folded field", 400, "GET /public/x HTTP/1.1\r\n" + host + "X-A: 1\r\n 2\r\n\r\n"},
      {"bare LF in the head", 400, "GET /public/x HTTP/1.1\r\n" + host + "X-A: 1\nX-B: 2\r\n\r\n"},
      {"bare LF throughout", 400, "GET /public/x HTTP/1.1\nHost: localhost\n\n"},
      {"bare CR in a value", 400, "GET /public/x HTTP/1.1\r\n" + host + "X-A: 1\rX-B: 2\r\n\r\n"},
      {"NUL in a value", 400, "GET /public/x HTTP/1.1\r\n" + host + std::string("X-A: 1\0002\r\n\r\n", 11)},
      {"no Host", 400, "GET /public/x HTTP/1.1\r\n\r\n"},
      {"two Hosts", 400, "GET /public/x HTTP/1.1\r\n" + host + "Host: localhost\r\n\r\n"},
      {"odd Host", 400, "GET /public/x HTTP/1.1\r\nHost: local host\r\n\r\n"},
      {"Host with a path", 400, "GET /public/x HTTP/1.1\r\nHost: localhost/x\r\n\r\n"},
      {"Host with userinfo", 400, "GET /public/x HTTP/1.1\r\nHost: a@localhost\r\n\r\n"},
      {"Host against the target", 400, "GET http://other.test/public/x HTTP/1.1\r\n" + host + "\r\n"},
      {"field without name", 400, "GET /public/x HTTP/1.1\r\n" + host + ": 1\r\n\r\n"},
      {"field without colon", 400, "GET /public/x HTTP/1.1\r\n" + host + "X-A\r\n\r\n"},
      {"method with a control byte", 400, "G\x01T /public/x HTTP/1.1\r\n" + host + "\r\n"},
      {"two spaces in the request line", 400, "GET  /public/x HTTP/1.1\r\n" + host + "\r\n"},
      {"HTTP/2.0", 505, "GET /public/x HTTP/2.0\r\n" + host + "\r\n"},
      {"unknown coding", 501,
       "POST /public/x HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"},
      {"unknown coding under chunked", 400,
       "POST /public/x HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
      {"no HTTP at all", 400, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03rubbish\r\n\r\n"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Refused refused = send_bad(row.bytes);
    const bool coding = row.status == 400 && row.bytes.find("Transfer-Encoding") != std::string::npos;
    // A coding that cannot be read may be called malformed or not implemented (RFC 9112 6.1).
    EXPECT_TRUE(refused.answer.status == row.status || (coding && refused.answer.status == 501))
        << refused.answer.head << refused.answer.body;
    EXPECT_TRUE(refused.closed) << "after a message that cannot be read, what follows cannot be told";
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

// With a backend of its own: what was cut off may reach it late, and no other test shall find it there.
class BrokenBodyTest : public SharedSidecar {};

TEST_F(BrokenBodyTest, BrokenChunksNeverCompleteARequest) {
  for (const char* body :
       {"x\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\n0\n\n", "-1\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n",
        "10000000000000000\r\nabc\r\n0\r\n\r\n", "3;\x01\r\nabc\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n\r\n"}) {
    SCOPED_TRACE(body);
    sidecar->backend.forget();
    std::atomic<bool> completed{false};
    const Script script(sidecar->backend, [&](Exchange& exchange) {
      exchange.read_body();
      completed = true;
      exchange.respond(200, "", "ok");
    });
    Stream stream = sidecar->dial_plain();
    stream.send("POST /public/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n" +
                std::string(body));
    MessageReader reader(stream);
    EXPECT_EQ(reader.response().status, 400);
    EXPECT_TRUE(reader.closed());
    EXPECT_FALSE(completed) << "the backend was given a whole body";
  }
}

TEST_F(FramingTest, ConnectAndTraceAreNotAllowed) {
  for (const char* bytes : {"CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n",
                            "TRACE /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
    const Response answer = sidecar->send_raw(bytes);
    EXPECT_EQ(answer.status, 405) << answer.head;
    EXPECT_TRUE(answer.fields.has("Allow")) << answer.head;
  }
  // Not a count: a request that another test cut off may still arrive.
  for (const auto& seen : sidecar->backend.seen()) {
    EXPECT_FALSE(seen.head.starts_with("CONNECT") || seen.head.starts_with("TRACE")) << seen.head;
  }
}

TEST_F(FramingTest, UnknownMethodsAndAsteriskForm) {
  EXPECT_EQ(sidecar->send_raw("PROPFIND /public/x HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200);
  EXPECT_EQ(sidecar->backend.last().method, "PROPFIND");
  const Response asterisk = sidecar->send_raw("OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(asterisk.status, 404);
  EXPECT_EQ(reason_of(asterisk), "no_route");
}

TEST_F(FramingTest, AbsoluteFormIsBroughtToOrigin) {
  EXPECT_EQ(sidecar->send_raw("GET http://localhost/public/x?y=1 HTTP/1.1\r\nHost: localhost\r\n\r\n").status,
            200);
  EXPECT_EQ(sidecar->backend.last().target, "/public/x?y=1");
}

TEST_F(FramingTest, ClientThatLeavesEndsTheBackendRequest) {
  std::atomic<bool> noticed{false};
  const Script script(sidecar->backend, [&](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const std::string chunk = "400\r\n" + std::string(1024, 'x') + "\r\n";
    for (int i = 0; i < 20000; ++i) {
      if (!exchange.send(chunk)) {
        noticed = true;
        break;
      }
      std::this_thread::sleep_for(Milliseconds{1});
    }
    exchange.close();
  });
  Stream stream = sidecar->dial();
  stream.send(public_request().raw());
  MessageReader reader(stream);
  EXPECT_TRUE(reader.head().has_value());
  stream.reset();
  for (int i = 0; i < 500 && !noticed; ++i) std::this_thread::sleep_for(Milliseconds{20});
  EXPECT_TRUE(noticed);
}

}  // namespace
}  // namespace holdfast::integration
