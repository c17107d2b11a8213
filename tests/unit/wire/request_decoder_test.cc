#include "wire/request_decoder.h"

#include <gtest/gtest.h>

#include "decoded.h"

namespace holdfast::wire {
namespace {

using Kind = http::BodyLength::Kind;

struct Refused {
  std::string_view name;
  std::string bytes;
  unsigned status;
};

std::string with_fields(std::string_view fields) {
  return "POST /p HTTP/1.1\r\nHost: a.example\r\n" + std::string(fields) + "\r\n";
}

const std::vector<Refused>& refused() {
  using namespace std::string_literals;
  static const std::vector<Refused> rows = {
      {"bare LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"bare LF ends a field", with_fields("X: 1\nY: 2\r\n"), 400},
      {"bare LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"only LFs", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"bare CR in a value", with_fields("X: a\rb\r\n"), 400},
      {"bare CR ends a field", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
      {"CR CR LF", with_fields("X: a\r\r\n"), 400},
      {"folded field", with_fields("X: a\r\n b\r\n"), 400},
      {"folded with a tab", with_fields("X: a\r\n\tb\r\n"), 400},
      {"first field begins with space", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"space before colon", with_fields("X : a\r\n"), 400},
      {"tab before colon", with_fields("X\t: a\r\n"), 400},
      {"empty name", with_fields(": a\r\n"), 400},
      {"no colon", with_fields("X\r\n"), 400},
      {"non-token name", with_fields("X(1): a\r\n"), 400},
      {"8-bit name", with_fields("X\xc3\xa9: a\r\n"), 400},
      {"NUL in a value", with_fields("X: a\0b\r\n"s), 400},
      {"control in a value",
       with_fields("X: a\x07"
                   "b\r\n"),
       400},
      {"DEL in a value", with_fields("X: a\x7f\r\n"), 400},
      {"NUL in a name", with_fields("X\0: a\r\n"s), 400},
      {"Content-Length with sign", with_fields("Content-Length: +1\r\n"), 400},
      {"negative Content-Length", with_fields("Content-Length: -1\r\n"), 400},
      {"Content-Length list", with_fields("Content-Length: 1,1\r\n"), 400},
      {"Content-Length list with space", with_fields("Content-Length: 1, 1\r\n"), 400},
      {"Content-Length with trailing comma", with_fields("Content-Length: 1,\r\n"), 400},
      {"Content-Length with two numbers", with_fields("Content-Length: 1 1\r\n"), 400},
      {"Content-Length in hex", with_fields("Content-Length: 0x1\r\n"), 400},
      {"Content-Length with exponent", with_fields("Content-Length: 1e1\r\n"), 400},
      {"Content-Length with underscore", with_fields("Content-Length: 1_0\r\n"), 400},
      {"Content-Length with a point", with_fields("Content-Length: 1.0\r\n"), 400},
      {"Content-Length in quotes", with_fields("Content-Length: \"1\"\r\n"), 400},
      {"empty Content-Length", with_fields("Content-Length:\r\n"), 400},
      {"Content-Length beyond 64 bit", with_fields("Content-Length: 18446744073709551617\r\n"), 400},
      {"Content-Length of 2^63", with_fields("Content-Length: 9223372036854775808\r\n"), 400},
      {"same Content-Length twice", with_fields("Content-Length: 1\r\nContent-Length: 1\r\n"), 400},
      {"two Content-Lengths", with_fields("Content-Length: 1\r\nContent-Length: 2\r\n"), 400},
      {"both lengths", with_fields("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"both lengths, other order", with_fields("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n"), 400},
      {"unknown coding and length", with_fields("Transfer-Encoding: x\r\nContent-Length: 3\r\n"), 400},
      {"chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"chunked twice", with_fields("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"chunked in two fields", with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {"identity beside chunked", with_fields("Transfer-Encoding: identity, chunked\r\n"), 400},
      {"chunked not last", with_fields("Transfer-Encoding: chunked, gzip\r\n"), 400},
      {"gzip before chunked", with_fields("Transfer-Encoding: gzip, chunked\r\n"), 400},
      {"gzip and chunked apart", with_fields("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {"empty Transfer-Encoding", with_fields("Transfer-Encoding:\r\n"), 400},
      {"chunked with a comma", with_fields("Transfer-Encoding: chunked,\r\n"), 400},
      {"chunked with a parameter", with_fields("Transfer-Encoding: chunked;q=1\r\n"), 400},
      {"quoted chunked", with_fields("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"vertical tab before chunked",
       with_fields("Transfer-Encoding: \x0b"
                   "chunked\r\n"),
       400},
      {"unknown coding", with_fields("Transfer-Encoding: gzip\r\n"), 501},
      {"misspelt chunked", with_fields("Transfer-Encoding: xchunked\r\n"), 501},
      {"identity", with_fields("Transfer-Encoding: identity\r\n"), 501},
      {"no Host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"two Hosts in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"empty Host", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"Host with userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400},
      {"Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
      {"Host with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
      {"Host with a large port", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 400},
      {"Host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400},
      {"Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
      {"Host percent-encoded", "GET / HTTP/1.1\r\nHost: a%2eb\r\n\r\n", 400},
      {"Host differs from target", "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", 400},
      {"Host's port differs from target's", "GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"Host differs from CONNECT's target", "CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", 400},
      {"target with userinfo", "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target without authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"target of another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"asterisk with GET", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"authority-form with GET", "GET a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 400},
      {"CONNECT with a path", "CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"CONNECT without port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"relative target", "GET foo/bar HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"8-bit target", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"tab in target", "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space in target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before target", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two spaces before version", "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space after version", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"tab as separator", "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
      {"lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"long version", "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400},
      {"another protocol", "GET / RTSP/1.0\r\nHost: a\r\n\r\n", 400},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"HTTP/0.9", "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505},
      {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"LF first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"TLS to a plain port", "\x16\x03\x01\x02", 400},
      {"non-token method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"empty method", " / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"Content_Length", with_fields("Content_Length: 1\r\n"), 400},
      {"Transfer_Encoding", with_fields("Transfer_encoding: chunked\r\n"), 400},
      {"malformed Connection", with_fields("Connection: keep alive\r\n"), 400},
  };
  return rows;
}

TEST(RequestDecoder, RefusesWholeAndInPieces) {
  for (const Refused& row : refused()) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{3}, std::size_t{7}}) {
      const DecodedRequests got = decode_requests(row.bytes, piece);
      EXPECT_TRUE(got.requests.empty()) << row.name << " in pieces of " << piece;
      ASSERT_TRUE(got.fault.has_value()) << row.name << " in pieces of " << piece;
      EXPECT_EQ(got.fault->status, row.status) << row.name;
      EXPECT_EQ(got.fault->refusal.reason, Reason::request_malformed) << row.name;
      EXPECT_FALSE(got.fault->refusal.detail.empty()) << row.name;
    }
  }
}

// Everything before the last byte of the head must not look like a complete request.
TEST(RequestDecoder, NeverTakesAPrefixForTheWhole) {
  const std::string bytes = with_fields("Content-Length: 3\r\n");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const DecodedRequests got = decode_requests(std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(got.requests.empty()) << size;
    EXPECT_FALSE(got.fault.has_value()) << size;
  }
}

struct Taken {
  std::string_view bytes;
  std::string_view method, target, authority, scheme;
  bool wants_close = false;
};

TEST(RequestDecoder, ReadsTargets) {
  const Taken rows[] = {
      {"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "GET", "/", "a.example", ""},
      {"GET /x?y=%20&z HTTP/1.1\r\nHost: A.example:8443\r\n\r\n", "GET", "/x?y=%20&z", "A.example:8443", ""},
      {"GET //x HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET", "//x", "[::1]:80", ""},
      {"GET http://a/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/x?y", "a", "http"},
      {"GET HTTPS://A:443/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "A:443", "https"},
      {"GET http://a HTTP/1.1\r\nHost: a:80\r\n\r\n", "GET", "/", "a", "http"},
      {"GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/?q", "a", "http"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", "a", ""},
      {"OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS", "*", "a", "http"},
      {"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "CONNECT", "", "a:443", ""},
      {"get /x HTTP/1.1\r\nHost: a\r\n\r\n", "get", "/x", "a", ""},
      {"M-SEARCH /x HTTP/1.1\r\nHost: a\r\n\r\n", "M-SEARCH", "/x", "a", ""},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET", "/", "a", ""},
      {"GET / HTTP/1.0\r\n\r\n", "GET", "/", "", "", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET", "/", "", "", false},
      {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", "GET", "/", "", "", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "GET", "/", "", "", true},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", "GET", "/", "", "", false},
      {"PUT / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", "PUT", "/", "", "", false},
      {"GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", "GET", "/", "", "", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", "GET", "/", "a", "", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection:\tclose\r\n\r\n", "GET", "/", "a", "", true},
      {"GET / HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n", "GET", "/", "a", "", false},
  };
  for (const Taken& row : rows) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{5}}) {
      const DecodedRequests got = decode_requests(row.bytes, piece);
      ASSERT_FALSE(got.fault.has_value()) << row.bytes << got.fault->refusal.detail;
      ASSERT_EQ(got.ended(), 1U) << row.bytes;
      const DecodedRequest& request = got.requests[0];
      EXPECT_EQ(request.head.method, row.method) << row.bytes;
      EXPECT_EQ(request.head.target, row.target) << row.bytes;
      EXPECT_EQ(request.head.authority, row.authority) << row.bytes;
      EXPECT_EQ(request.head.scheme, row.scheme) << row.bytes;
      EXPECT_EQ(request.wants_close, row.wants_close) << row.bytes;
    }
  }
}

TEST(RequestDecoder, ReadsFieldsAsSent) {
  const DecodedRequests got = decode_requests(
      with_fields("X-Empty:\r\nx-Tab:\t a\tb \t\r\nX-Latin: caf\xe9\r\nExpect: 100-Continue\r\n"));
  ASSERT_EQ(got.ended(), 1U);
  const http::RequestHead& head = got.requests[0].head;
  EXPECT_EQ(head.fields.size(), 5U);
  EXPECT_EQ(head.fields.find("x-empty"), "");
  EXPECT_EQ(head.fields.find("X-TAB"), "a\tb");
  EXPECT_EQ(head.fields.find("x-latin"), "caf\xe9");
  EXPECT_TRUE(head.expect_continue);
  EXPECT_EQ(head.version_minor, 1);
  EXPECT_EQ((head.fields.begin() + 2)->name, "x-Tab");
}

TEST(RequestDecoder, ExpectMeansNothingInHttp10) {
  const auto got = decode_requests("POST / HTTP/1.0\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_EQ(got.ended(), 1U);
  EXPECT_FALSE(got.requests[0].head.expect_continue);
}

TEST(RequestDecoder, ReadsBodies) {
  struct Row {
    std::string_view framing;
    std::string_view wire;
    Kind kind;
    std::string_view body;
  };
  const Row rows[] = {
      {"", "", Kind::kNone, ""},
      {"Content-Length: 0\r\n", "", Kind::kKnown, ""},
      {"Content-Length: 5\r\n", "hello", Kind::kKnown, "hello"},
      {"Content-Length: 005\r\n", "hello", Kind::kKnown, "hello"},
      {"Content-Length:  5 \r\n", "\r\n\r\n0", Kind::kKnown, "\r\n\r\n0"},
      {"Transfer-Encoding: chunked\r\n", "0\r\n\r\n", Kind::kUnknown, ""},
      {"Transfer-Encoding: Chunked \r\n", "5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n", Kind::kUnknown, "hello!"},
  };
  for (const Row& row : rows) {
    const std::string one = with_fields(row.framing) + std::string(row.wire);
    for (std::size_t piece = 1; piece < one.size() + 2; ++piece) {
      const DecodedRequests got = decode_requests(one + one, piece);  // pipelined, too
      ASSERT_FALSE(got.fault.has_value()) << row.framing << got.fault->refusal.detail;
      ASSERT_EQ(got.ended(), 2U) << row.framing;
      for (const DecodedRequest& request : got.requests) {
        EXPECT_EQ(request.head.body.kind, row.kind) << row.framing;
        EXPECT_EQ(request.body, row.body) << row.framing;
      }
    }
  }
}

TEST(RequestDecoder, ReadsTrailers) {
  const DecodedRequests got = decode_requests(
      with_fields("Transfer-Encoding: chunked\r\n") + "1\r\na\r\n0\r\nX-Sum: 1 2 \r\nx-b:\r\n\r\n", 3);
  ASSERT_EQ(got.ended(), 1U);
  EXPECT_EQ(got.requests[0].trailers.size(), 2U);
  EXPECT_EQ(got.requests[0].trailers.find("x-sum"), "1 2");
}

TEST(RequestDecoder, HoldsLimits) {
  Limits limits;
  limits.max_head_bytes = 200;
  limits.max_fields = 3;
  limits.max_body_bytes = 4;
  struct Row {
    std::string_view name;
    std::string bytes;
    unsigned status;
    Reason reason;
  };
  const Row rows[] = {
      {"long target", "GET /" + std::string(300, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414,
       Reason::headers_too_large},
      {"endless target", "GET /" + std::string(300, 'a'), 414, Reason::headers_too_large},
      {"long head", with_fields("X: " + std::string(200, 'a') + "\r\n"), 431, Reason::headers_too_large},
      {"endless head", "GET / HTTP/1.1\r\nX: " + std::string(300, 'a'), 431, Reason::headers_too_large},
      {"many fields", with_fields("a:1\r\nb:2\r\nc:3\r\n"), 431, Reason::headers_too_large},
      {"long body", with_fields("Content-Length: 5\r\n"), 413, Reason::request_too_large},
      {"long chunked body", with_fields("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n", 413,
       Reason::request_too_large},
      {"long trailers",
       with_fields("Transfer-Encoding: chunked\r\n") + "0\r\nX: " + std::string(300, 'a') + "\r\n\r\n", 431,
       Reason::headers_too_large},
      {"many trailers",
       with_fields("Transfer-Encoding: chunked\r\n") + "0\r\na:1\r\nb:1\r\nc:1\r\nd:1\r\n\r\n", 431,
       Reason::headers_too_large},
  };
  for (const Row& row : rows) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{64}}) {
      const DecodedRequests got = decode_requests(row.bytes, piece, limits);
      EXPECT_EQ(got.ended(), 0U) << row.name;
      ASSERT_TRUE(got.fault.has_value()) << row.name << " in pieces of " << piece;
      EXPECT_EQ(got.fault->status, row.status) << row.name;
      EXPECT_EQ(got.fault->refusal.reason, row.reason) << row.name;
    }
  }
  EXPECT_EQ(decode_requests(with_fields("a:1\r\nContent-Length: 4\r\n") + "1234", 9, limits).ended(), 1U);
}

TEST(RequestDecoder, KeepsWhatItReadOfARefusedHead) {
  RequestDecoder decoder;
  const std::string bytes = "POST /p?q HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n";
  ASSERT_EQ(decoder.feed(bytes).event, Event::kFault);
  const http::RequestHead head = decoder.take_head();
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/p?q");
}

// An answer to HEAD has no body, also where the head was refused before it could be read, or never ended.
TEST(RequestDecoder, NamesTheMethodOfABrokenHead) {
  const std::string control("\x01");
  for (const auto& [bytes, method] : {std::pair<std::string, std::string_view>{
                                          "HEAD / HTTP/1.1\r\nHost: a\r\nX: " + control + "\r\n\r\n", "HEAD"},
                                      {"HEAD / HTTP/1.1\nHost: a\n\n", "HEAD"},
                                      {"HEAD / HTTP/1.1\r\nX: y\r\n z\r\n\r\n", "HEAD"},
                                      {"HEAD /" + std::string(500, 'a'), "HEAD"},
                                      {"HEAD / HTTP/1.1\r\nX: " + std::string(500, 'a'), "HEAD"},
                                      {"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", "HEAD"},
                                      {"POST / HTTP/1.1\r\nHost: a\r\nX" + control, "POST"},
                                      {"HEAD", ""},
                                      {"H(AD / HTTP/1.1\r\nX" + control, ""},
                                      {std::string(40, 'M') + " / HTTP/1.1\r\nX" + control, ""},
                                      {" HEAD /" + control, ""}}) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{7}}) {
      RequestDecoder decoder({.max_head_bytes = 200});
      for (std::size_t at = 0; at < bytes.size(); at += piece) {
        if (decoder.feed(std::string_view(bytes).substr(at, piece)).event == Event::kFault) break;
      }
      EXPECT_EQ(decoder.take_broken_head().method, method) << bytes << " in pieces of " << piece;
    }
  }
}

TEST(RequestDecoder, KnowsWhetherAMessageIsUnderWay) {
  RequestDecoder decoder;
  EXPECT_FALSE(decoder.in_message());
  ASSERT_EQ(decoder.feed(std::string_view("\r\n")).event, Event::kNeedMore);
  EXPECT_FALSE(decoder.in_message());
  ASSERT_EQ(decoder.feed(std::string_view("G")).event, Event::kNeedMore);
  EXPECT_TRUE(decoder.in_message());
  ASSERT_EQ(decoder.feed(std::string_view("ET / HTTP/1.1\r\nHost: a\r\n\r\n")).event, Event::kHead);
  EXPECT_TRUE(decoder.in_message());
  ASSERT_EQ(decoder.feed({}).event, Event::kEnd);
  EXPECT_FALSE(decoder.in_message());
  decoder.next();
  EXPECT_FALSE(decoder.in_message());
}

}  // namespace
}  // namespace holdfast::wire
