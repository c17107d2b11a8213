#include "wire/chunked_decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "decoded.h"

namespace holdfast::wire {
namespace {

DecodedRequests decode_chunks(std::string_view chunks, std::size_t piece = 1 << 20) {
  return decode_requests(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + std::string(chunks), piece);
}

TEST(ChunkedDecoder, RefusesOddFraming) {
  using namespace std::string_literals;
  const std::string rows[] = {
      "\r\nhello\r\n0\r\n\r\n",                   // no size
      " 5\r\nhello\r\n0\r\n\r\n",                 // space before
      "5 \r\nhello\r\n0\r\n\r\n",                 // space after
      "5\t\r\nhello\r\n0\r\n\r\n",                //
      "0x5\r\nhello\r\n0\r\n\r\n",                //
      "+5\r\nhello\r\n0\r\n\r\n",                 //
      "-5\r\nhello\r\n0\r\n\r\n",                 //
      "5_0\r\nhello\r\n0\r\n\r\n",                //
      "5.\r\nhello\r\n0\r\n\r\n",                 //
      "g\r\nhello\r\n0\r\n\r\n",                  //
      "00000000000000005\r\nhello\r\n0\r\n\r\n",  // 17 digits
      "fffffffffffffffff\r\nhello",               // beyond 64 bit
      "ffffffffffffffff\r\nhello",                // beyond any file
      "5\nhello\r\n0\r\n\r\n",                    // bare LF after the size
      "5\rhello\r\n0\r\n\r\n",                    // bare CR
      "5\r\r\nhello\r\n0\r\n\r\n",                //
      "5\r\nhello\n0\r\n\r\n",                    // bare LF after the data
      "5\r\nhello0\r\n\r\n",                      // data longer than its size
      "5\r\nhello!\r\n0\r\n\r\n",                 //
      "4\r\nhello\r\n0\r\n\r\n",                  //
      "5;\r\nhello\r\n0\r\n\r\n",                 // extension without a name
      "5; a=b\r\nhello\r\n0\r\n\r\n",             // whitespace
      "5 ;a=b\r\nhello\r\n0\r\n\r\n",             //
      "5;a=\r\nhello\r\n0\r\n\r\n",               // no value
      "5;a=\"b\r\nhello\r\n0\r\n\r\n",            // unbalanced quote
      "5;a=b c\r\nhello\r\n0\r\n\r\n",            //
      "5;a\nb\r\nhello\r\n0\r\n\r\n",             // bare LF in an extension
      "5;a=\"\n\"\r\nhello\r\n0\r\n\r\n",         //
      "5;a\rb\r\nhello\r\n0\r\n\r\n",             // bare CR in an extension
      "5;a=\"\0\"\r\nhello\r\n0\r\n\r\n"s,        // NUL in an extension
      "5 hello\r\nhello\r\n0\r\n\r\n",            //
      "0\r\n\n",                                  // bare LF ends the trailers
      "0\n\r\n",                                  //
      "0\r\nX: 1\n\r\n",                          // bare LF in the trailers
      "0\r\nX : 1\r\n\r\n",                       // space before colon
      "0\r\n X: 1\r\n\r\n",                       // folded
      "0\r\nX\r\n\r\n",                           // no colon
      "0\r\nContent-Length: 9\r\n\r\n",           // framing and routing in trailers
      "0\r\nTransfer-Encoding: chunked\r\n\r\n",  //
      "0\r\nContent_Length: 9\r\n\r\n",           //
      "0\r\nhost: b\r\n\r\n",                     //
      "0\r\nGET / HTTP/1.1\r\n\r\n",              // the next request without an end of this
  };
  for (const std::string& row : rows) {
    for (const std::size_t piece : {std::size_t{1} << 20, std::size_t{1}, std::size_t{2}, std::size_t{3}}) {
      const DecodedRequests got = decode_chunks(row, piece);
      EXPECT_EQ(got.ended(), 0U) << row;
      ASSERT_TRUE(got.fault.has_value()) << row << " in pieces of " << piece;
      EXPECT_EQ(got.fault->status, 400) << row;
      EXPECT_FALSE(got.fault->refusal.detail.empty()) << row;
    }
  }
}

TEST(ChunkedDecoder, TakesWhatTheGrammarAllows) {
  struct Row {
    std::string_view wire;
    std::string_view body;
  };
  const Row rows[] = {
      {"0\r\n\r\n", ""},
      {"000\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"0000000000000005\r\nhello\r\n00\r\n\r\n", "hello"},
      {"A\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", "01234567890123456789"},
      {"5;a\r\nhello\r\n0;b=c;d=\"e;\\\"f\"\r\n\r\n", "hello"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"1\r\n0\r\n0\r\nX: y\r\n\r\n", "0"},
  };
  for (const Row& row : rows) {
    for (std::size_t piece = 1; piece <= row.wire.size(); ++piece) {
      const DecodedRequests got = decode_chunks(row.wire, piece);
      ASSERT_FALSE(got.fault.has_value()) << row.wire << got.fault->refusal.detail;
      ASSERT_EQ(got.ended(), 1U) << row.wire;
      EXPECT_EQ(got.requests[0].body, row.body);
    }
  }
}

TEST(ChunkedDecoder, DoesNotEndBeforeItsEnd) {
  const std::string_view whole = "5\r\nhello\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const DecodedRequests got = decode_chunks(whole.substr(0, size));
    EXPECT_EQ(got.ended(), 0U) << size;
    EXPECT_FALSE(got.fault.has_value()) << size;
  }
}

TEST(ChunkedDecoder, RefusesAnEndlessSizeLine) {
  EXPECT_TRUE(decode_chunks("5;" + std::string(5000, 'a'), 100).fault.has_value());
}

TEST(ChunkedDecoder, RefusesExtensionsThatOutgrowTheBody) {
  std::string wire;
  for (int i = 0; i < 1000; ++i) wire += "1;" + std::string(200, 'a') + "\r\nx\r\n";
  const DecodedRequests got = decode_chunks(wire);
  ASSERT_TRUE(got.fault.has_value());
  EXPECT_LT(got.requests[0].body.size(), 500U);
}

// Signed uploads carry an extension of about 80 bytes in every chunk, for as long as the upload takes.
TEST(ChunkedDecoder, TakesExtensionsBesideEnoughData) {
  std::string wire;
  for (int i = 0; i < 2000; ++i)
    wire += "400;chunk-signature=" + std::string(64, 'a') + "\r\n" + std::string(1024, 'x') + "\r\n";
  wire += "0\r\n\r\n";
  const DecodedRequests got = decode_chunks(wire);
  ASSERT_FALSE(got.fault.has_value()) << got.fault->refusal.detail;
  EXPECT_EQ(got.requests[0].body.size(), 2000U * 1024U);
}

}  // namespace
}  // namespace holdfast::wire
