#include "wire/encoder.h"

#include <gtest/gtest.h>

#include <random>

#include "decoded.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;
using namespace std::string_literals;

http::RequestHead request(std::string_view method = "GET", std::string_view target = "/") {
  http::RequestHead head;
  head.method = method;
  head.target = target;
  head.authority = "a.example";
  return head;
}

http::ResponseHead response(std::uint16_t status, http::BodyLength body = {}) {
  http::ResponseHead head;
  head.status = status;
  head.body = body;
  return head;
}

TEST(RequestEncoder, WritesHeads) {
  http::RequestHead head = request("POST", "/x?y");
  head.body = {Kind::kKnown, 2};
  head.fields.add("host", "b.example");
  head.fields.add("X-A", "1");
  std::string out = "kept";
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  EXPECT_EQ(out, "keptPOST /x?y HTTP/1.1\r\nhost: b.example\r\nX-A: 1\r\nContent-Length: 2\r\n\r\n");
  EXPECT_FALSE(encoder.ended());
  ASSERT_TRUE(encoder.data(std::string_view("hi"), out));
  ASSERT_TRUE(encoder.end(out));
  EXPECT_TRUE(out.ends_with("\r\n\r\nhi"));
  EXPECT_TRUE(encoder.ended());
}

TEST(RequestEncoder, TakesHostFromTheAuthority) {
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(request(), out));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
  EXPECT_TRUE(encoder.ended());
}

TEST(RequestEncoder, JoinsCookiesOfHttp2AndLeavesThoseOfHttp1) {
  http::RequestHead head = request();
  for (const auto& [name, value] :
       {std::pair{"cookie", "a=1"}, {"x", "y"}, {"cookie", "b=2"}, {"cookie", "c"}}) {
    head.fields.add(name, value);
  }
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: a.example\r\ncookie: a=1\r\nx: y\r\ncookie: b=2\r\ncookie: c\r\n\r\n");
  head.version_major = 2;
  out.clear();
  ASSERT_TRUE(encoder.head(head, out));
  EXPECT_EQ(out, "GET / HTTP/1.1\r\nHost: a.example\r\ncookie: a=1; b=2; c\r\nx: y\r\n\r\n");
}

TEST(RequestEncoder, MakesFramingAndConnectionFieldsItself) {
  http::RequestHead head = request("PUT");
  head.body = {Kind::kUnknown, 0};
  for (const std::string_view name : {"Connection", "keep-alive", "Proxy-Connection", "TE",
                                      "Transfer-Encoding", "Upgrade", "Content-Length", "Expect"}) {
    head.fields.add(name, "7");
  }
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  EXPECT_EQ(out, "PUT / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n");
}

// What a server does not read of it would be its next request.
TEST(RequestEncoder, ContentThatNobodyExpectsIsTheLastOfItsConnection) {
  struct Row {
    std::string_view method;
    http::BodyLength body;
    bool close;
  };
  for (const Row& row :
       {Row{"GET", {Kind::kKnown, 2}, true}, Row{"GET", {Kind::kUnknown, 0}, true},
        Row{"HEAD", {Kind::kKnown, 2}, true}, Row{"DELETE", {Kind::kKnown, 2}, true},
        Row{"GET", {Kind::kKnown, 0}, false}, Row{"GET", {}, false}, Row{"DELETE", {}, false},
        Row{"POST", {Kind::kKnown, 2}, false}, Row{"OPTIONS", {Kind::kKnown, 2}, false}}) {
    http::RequestHead head = request(row.method);
    head.body = row.body;
    std::string out;
    RequestEncoder encoder;
    ASSERT_TRUE(encoder.head(head, out));
    EXPECT_EQ(encoder.close(), row.close) << out;
    EXPECT_EQ(out.ends_with("\r\nConnection: close\r\n\r\n"), row.close) << out;
  }
}

TEST(RequestEncoder, RefusesWhatWouldSplit) {
  struct Row {
    std::string method, target, authority, name, value;
  };
  const Row rows[] = {
      {"GET", "/", "a", "X", "a\r\nY: b"}, {"GET", "/", "a", "X", "a\nb"}, {"GET", "/", "a", "X", "a\rb"},
      {"GET", "/", "a", "X", "a\0b"s},     {"GET", "/", "a", "X\r", "a"},  {"GET", "/", "a", "X:", "a"},
      {"GET", "/", "a", "", "a"},          {"GET", "/ b", "a", "X", "a"},  {"GET", "/\r\n", "a", "X", "a"},
      {"GET", "", "a", "X", "a"},          {"G T", "/", "a", "X", "a"},    {"", "/", "a", "X", "a"},
      {"GET", "/", "a\r\nb", "X", "a"},
  };
  for (const Row& row : rows) {
    http::RequestHead head = request(row.method, row.target);
    head.authority = row.authority;
    head.fields.add(row.name, row.value);
    std::string out;
    EXPECT_FALSE(RequestEncoder().head(head, out)) << row.name << row.value << row.target;
    EXPECT_EQ(out, "");
  }
  http::RequestHead two = request();
  two.fields.add("Host", "a");
  two.fields.add("host", "b");
  std::string out;
  EXPECT_FALSE(RequestEncoder().head(two, out));
}

TEST(BodyEncoder, HoldsTheLength) {
  http::RequestHead head = request("PUT");
  head.body = {Kind::kKnown, 3};
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  EXPECT_FALSE(encoder.data(std::string_view("1234"), out));
  ASSERT_TRUE(encoder.data(std::string_view("12"), out));
  EXPECT_FALSE(encoder.end(out));  // too short
  ASSERT_TRUE(encoder.sent(1));
  EXPECT_TRUE(encoder.end(out));
  EXPECT_FALSE(encoder.data(std::string_view("x"), out));
}

TEST(BodyEncoder, WritesNoBodyWhereNoneWasAnnounced) {
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(request(), out));
  EXPECT_FALSE(encoder.data(std::string_view("x"), out));
}

TEST(BodyEncoder, WritesChunksAndTrailers) {
  http::RequestHead head = request("PUT");
  head.body = {Kind::kUnknown, 0};
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  out.clear();
  ASSERT_TRUE(encoder.data(std::string(26, 'x'), out));
  ASSERT_TRUE(encoder.data({}, out));  // an empty chunk would end the body
  http::Fields trailers;
  for (const std::string_view name :
       {"X-Sum", "Content-Length", "transfer-encoding", "Host", "Authorization", "DPoP", "Cookie",
        "Set-Cookie", "X-Forwarded-For", "Connection", "TE", "Trailer"}) {
    trailers.add(name, "v");
  }
  ASSERT_TRUE(encoder.end(trailers, out));
  EXPECT_EQ(out, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\nX-Sum: v\r\n\r\n");
  EXPECT_FALSE(encoder.data(std::string_view("x"), out));
}

TEST(BodyEncoder, RefusesTrailersThatWouldSplit) {
  http::RequestHead head = request("PUT");
  head.body = {Kind::kUnknown, 0};
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  http::Fields trailers;
  trailers.add("X", "a\r\nb");
  EXPECT_FALSE(encoder.end(trailers, out));
}

TEST(ResponseEncoder, FramesByWhatTheClientCanRead) {
  struct Row {
    std::string_view name;
    std::uint16_t status;
    http::BodyLength body;
    ResponseEncoder::To to;
    std::string_view expected;
    bool close;
  };
  const Row rows[] = {
      {"known", 200, {Kind::kKnown, 3}, {}, "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 3\r\n\r\n", false},
      {"none is empty", 401, {}, {}, "HTTP/1.1 401 Unauthorized\r\nX: y\r\nContent-Length: 0\r\n\r\n", false},
      {"chunked",
       200,
       {Kind::kUnknown, 0},
       {},
       "HTTP/1.1 200 OK\r\nX: y\r\nTransfer-Encoding: chunked\r\n\r\n",
       false},
      {"until close",
       200,
       {Kind::kUnknown, 0},
       {.version_minor = 0},
       "HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\n",
       true},
      {"1.0 kept alive",
       200,
       {Kind::kKnown, 1},
       {.version_minor = 0},
       "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
       false},
      {"closing",
       200,
       {Kind::kKnown, 0},
       {.keep_alive = false},
       "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
       true},
      {"HEAD",
       200,
       {},
       {.head_request = true},
       "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 9\r\n\r\n",
       false},
      {"304", 304, {}, {}, "HTTP/1.1 304 Not Modified\r\nX: y\r\nContent-Length: 9\r\n\r\n", false},
      {"204", 204, {}, {}, "HTTP/1.1 204 No Content\r\nX: y\r\n\r\n", false},
      {"unknown status", 799, {}, {}, "HTTP/1.1 799 \r\nX: y\r\nContent-Length: 0\r\n\r\n", false},
  };
  for (const Row& row : rows) {
    http::ResponseHead head = response(row.status, row.body);
    head.fields.add("X", "y");
    head.fields.add("content-length", "9");
    head.fields.add("Connection", "upgrade");
    head.fields.add("Transfer-Encoding", "gzip");
    std::string out;
    ResponseEncoder encoder;
    ASSERT_TRUE(encoder.head(head, row.to, out)) << row.name;
    EXPECT_EQ(out, row.expected) << row.name;
    EXPECT_EQ(encoder.close(), row.close) << row.name;
  }
}

TEST(ResponseEncoder, RefusesWhatWouldSplit) {
  for (const std::string& value : {"a\r\nSet-Cookie: x"s, "a\nb"s, "a\rb"s, "a\0"s, "\x7f"s}) {
    http::ResponseHead head = response(200);
    head.fields.add("X", value);
    std::string out;
    EXPECT_FALSE(ResponseEncoder().head(head, {}, out));
    head.status = 103;
    EXPECT_FALSE(ResponseEncoder::interim(head, out));
    EXPECT_EQ(out, "");
  }
  std::string out;
  EXPECT_FALSE(ResponseEncoder().head(response(100), {}, out));
  EXPECT_FALSE(ResponseEncoder().head(response(1000), {}, out));
  EXPECT_FALSE(ResponseEncoder::interim(response(200), out));
}

TEST(ResponseEncoder, WritesInterimHeads) {
  http::ResponseHead head = response(102);
  head.fields.add("Link", "</x>");
  head.fields.add("Content-Length", "3");
  std::string out;
  ASSERT_TRUE(ResponseEncoder::interim(head, out));
  EXPECT_EQ(out, "HTTP/1.1 102 Processing\r\nLink: </x>\r\n\r\n");
}

// What is encoded decodes to the same message, whatever the fields, the body and the pieces.
TEST(Encoder, RoundTrips) {
  std::mt19937 random(7);
  const auto below = [&random](std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
  };
  for (int round = 0; round < 500; ++round) {
    http::RequestHead head = request("PATCH", "/r?x=%2F");
    head.fields.add("Host", "a.example:8443");
    for (std::size_t i = below(20); i != 0; --i) {
      std::string value;
      for (std::size_t n = below(40); n != 0; --n) value.push_back(static_cast<char>(0x21 + below(0x5e)));
      head.fields.add("X-" + std::to_string(i), value);
    }
    std::string body(below(3000), '\0');
    for (char& c : body) c = static_cast<char>(below(256));
    const bool known = below(2) == 0;
    head.body = known ? http::BodyLength{Kind::kKnown, body.size()} : http::BodyLength{Kind::kUnknown, 0};
    http::Fields trailers;
    if (!known) trailers.add("X-Trailer", std::to_string(round));
    std::string out;
    RequestEncoder encoder;
    ASSERT_TRUE(encoder.head(head, out));
    for (std::string_view rest = body; !rest.empty();) {
      const std::string_view part = rest.substr(0, 1 + below(rest.size()));
      ASSERT_TRUE(encoder.data(part, out));
      rest.remove_prefix(part.size());
    }
    ASSERT_TRUE(encoder.end(trailers, out));
    const DecodedRequests got = decode_requests(out, 1 + below(out.size()));
    ASSERT_FALSE(got.fault.has_value()) << got.fault->refusal.detail << out;
    ASSERT_EQ(got.ended(), 1U);
    const DecodedRequest& back = got.requests[0];
    EXPECT_EQ(back.body, body);
    EXPECT_EQ(back.head.method, "PATCH");
    EXPECT_EQ(back.head.target, "/r?x=%2F");
    EXPECT_EQ(back.head.authority, "a.example:8443");
    EXPECT_EQ(back.trailers.find("X-Trailer").has_value(), !known);
    for (const http::Field& field : head.fields) EXPECT_EQ(back.head.fields.find(field.name), field.value);
  }
}

TEST(RequestEncoder, AWebSocketHandshakeAsksForItsUpgrade) {
  http::RequestHead head;
  head.method = "GET";
  head.target = "/ws";
  head.authority = "a";
  head.protocol = "websocket";
  head.fields.add("Upgrade", "h2c");
  head.fields.add("Connection", "close");
  head.fields.add("Sec-WebSocket-Version", "13");
  std::string out;
  RequestEncoder encoder;
  ASSERT_TRUE(encoder.head(head, out));
  EXPECT_EQ(out,
            "GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\n");
  EXPECT_TRUE(encoder.ended());
}

TEST(ResponseEncoder, SwitchingProtocolsLeavesTheRestToTheTunnel) {
  http::ResponseHead head;
  head.status = 101;
  head.fields.add("Sec-WebSocket-Accept", "x");
  head.fields.add("Upgrade", "h2c");
  std::string out;
  ResponseEncoder encoder;
  ASSERT_TRUE(encoder.switching(head, out));
  EXPECT_EQ(out,
            "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\n\r\n");
  EXPECT_EQ(encoder.framing(), BodyEncoder::Framing::kUntilClose);
  EXPECT_TRUE(encoder.close());
  out.clear();
  EXPECT_TRUE(encoder.data(std::string_view("raw"), out));
  EXPECT_EQ(out, "raw");
  head.status = 200;
  EXPECT_FALSE(ResponseEncoder().switching(head, out));
  head.status = 101;
  head.fields.add("X", "a\r\nb");
  EXPECT_FALSE(ResponseEncoder().switching(head, out));
}

}  // namespace
}  // namespace holdfast::wire
