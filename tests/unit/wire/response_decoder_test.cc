#include "wire/response_decoder.h"

#include <gtest/gtest.h>

#include "decoded.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;

struct Row {
  std::string_view bytes;
  std::string_view method;
  unsigned status;
  Kind kind;
  std::string_view body;
  bool close;
  std::size_t stray = 0;
  std::size_t interims = 0;
};

TEST(ResponseDecoder, ReadsAnswers) {
  const Row rows[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "GET", 200, Kind::kKnown, "hi", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi!", "GET", 200, Kind::kKnown, "hi", false, 1},
      {"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", "GET", 200, Kind::kKnown, "", false},
      {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", "GET", 200, Kind::kKnown, "",
       true},
      {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", "GET", 200, Kind::kKnown, "x", true},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", "GET", 200, Kind::kKnown,
       "x", false},
      {"HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\nContent-Length: 1\r\n\r\nx", "GET", 200,
       Kind::kKnown, "x", true},
      {"HTTP/1.0 200 OK\r\n\r\nuntil the end", "GET", 200, Kind::kUnknown, "until the end", true},
      {"HTTP/1.1 200 OK\r\n\r\n", "GET", 200, Kind::kUnknown, "", true},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "GET", 200,
       Kind::kUnknown, "hi", false},
      {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HEAD", 200, Kind::kNone, "", false},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HEAD", 200, Kind::kNone, "", false},
      {"HTTP/1.1 200 OK\r\n\r\n", "HEAD", 200, Kind::kNone, "", false},
      {"HTTP/1.1 204 No Content\r\n\r\n", "GET", 204, Kind::kNone, "", false},
      {"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET", 304, Kind::kNone, "", false},
      {"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc", "GET", 204, Kind::kNone, "", false, 3},
      {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n"
       "Content-Length: 0\r\n\r\n",
       "GET", 200, Kind::kKnown, "", false, 0, 2},
      {"HTTP/1.1 499 Odd\r\nContent-Length: 0\r\n\r\n", "GET", 499, Kind::kKnown, "", false},
  };
  for (const Row& row : rows) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{3}, std::size_t{11}}) {
      const DecodedResponse got = decode_response(row.bytes, row.method, true, piece);
      ASSERT_TRUE(got.head.has_value()) << row.bytes << got.fault;
      EXPECT_TRUE(got.ended) << row.bytes << got.fault;
      EXPECT_EQ(got.head->status, row.status) << row.bytes;
      EXPECT_EQ(got.head->body.kind, row.kind) << row.bytes;
      EXPECT_EQ(got.head->close, row.close) << row.bytes;
      EXPECT_EQ(got.body, row.body) << row.bytes;
      EXPECT_EQ(got.stray, row.stray) << row.bytes;
      EXPECT_EQ(got.interims.size(), row.interims) << row.bytes;
    }
  }
}

TEST(ResponseDecoder, ReadsTrailers) {
  const auto got =
      decode_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: 1\r\n\r\n",
                      "GET", false, 2);
  ASSERT_TRUE(got.ended) << got.fault;
  EXPECT_EQ(got.trailers.find("x-sum"), "1");
}

TEST(ResponseDecoder, RefusesWhatIsMalformedOrAmbiguous) {
  using namespace std::string_literals;
  const std::string rows[] = {
      "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\nY: b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\rSet-Cookie: b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n"s,
      "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
      "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\n\r\na",
      "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
      "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi!\r\n0\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
      "HTTP/2 200\r\n\r\n",
      "HTTP/1.2 200 OK\r\n\r\n",
      "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 20 OK\r\n\r\n",
      "HTTP/1.1 2000 OK\r\n\r\n",
      "HTTP/1.1 099 OK\r\n\r\n",
      "HTTP/1.1  200 OK\r\n\r\n",
      "ICY 200 OK\r\n\r\n",
      "\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "SSH-2.0-OpenSSH\r\n\r\n",
      "HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n",
      // ended too early
      "",
      "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
      "HTTP/1.1 200 OK\r\nContent-Le",
      "HTTP/1.1 100 Continue\r\n\r\n",
  };
  for (const std::string& row : rows) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}}) {
      const DecodedResponse got = decode_response(row, "GET", true, piece);
      EXPECT_FALSE(got.ended) << row;
      EXPECT_FALSE(got.fault.empty()) << row;
    }
  }
}

TEST(ResponseDecoder, HoldsLimits) {
  Limits limits;
  limits.max_head_bytes = 100;
  limits.max_fields = 2;
  const std::string endless = "HTTP/1.1 200 OK\r\nX: " + std::string(200, 'a');
  EXPECT_EQ(decode_response(endless, "GET", false, 1 << 20, limits).fault, "the head is too large");
  EXPECT_EQ(decode_response(endless, "GET", false, 1, limits).fault, "the head is too large");
  EXPECT_EQ(decode_response("HTTP/1.1 200 OK\r\na:1\r\nb:2\r\nc:3\r\n\r\n", "GET", false, 7, limits).fault,
            "too many fields");
  std::string interims;
  for (int i = 0; i < 40; ++i) interims += "HTTP/1.1 102 Processing\r\n\r\n";
  EXPECT_EQ(decode_response(interims).fault, "too many interim answers");
}

TEST(ResponseDecoder, ReadsOneAnswerAfterAnother) {
  ResponseDecoder decoder;
  const std::string_view bytes = "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
  for (int i = 0; i < 3; ++i) {
    decoder.begin("GET");
    EXPECT_FALSE(decoder.began());
    const Step head = decoder.feed(bytes);
    ASSERT_EQ(head.event, Event::kHead);
    EXPECT_TRUE(decoder.began());
    ASSERT_EQ(decoder.feed(bytes.substr(head.consumed)).event, Event::kData);
    ASSERT_EQ(decoder.feed({}).event, Event::kEnd);
  }
}

// RFC 9110 15.2.2: what follows a 101 that was asked for belongs to another protocol, whatever it looks like.
TEST(ResponseDecoder, A101ThatWasAskedForOpensATunnel) {
  constexpr std::string_view kHead =
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  constexpr std::string_view kTunnel = "HTTP/1.1 200 OK\r\n\r\n\0\xff";
  const std::string bytes = std::string(kHead).append(kTunnel);
  ResponseDecoder decoder;
  decoder.begin("GET", true);
  Step step = decoder.feed(bytes);
  ASSERT_EQ(step.event, Event::kHead);
  EXPECT_EQ(step.consumed, kHead.size());
  EXPECT_EQ(decoder.take_head().status, 101);
  step = decoder.feed(std::span(bytes).subspan(step.consumed));
  ASSERT_EQ(step.event, Event::kData);
  EXPECT_EQ(std::string_view(step.data.data(), step.data.size()), kTunnel);
  EXPECT_EQ(decoder.finish().event, Event::kEnd);
  // The next request of a connection has asked for nothing.
  decoder.begin("GET");
  EXPECT_EQ(decoder.feed(bytes).event, Event::kFault);
}

}  // namespace
}  // namespace holdfast::wire
