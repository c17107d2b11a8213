#include "http/websocket_frames.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace holdfast::http {
namespace {

using namespace std::string_literals;

std::string frame(unsigned char first, std::size_t size, bool masked = false) {
  std::string out(1, static_cast<char>(first));
  const unsigned mask = masked ? 0x80U : 0U;
  const auto length = static_cast<std::uint64_t>(size);
  if (size < 126) {
    out += static_cast<char>(mask | size);
  } else {
    const int bytes = size < 65536 ? 2 : 8;
    out += static_cast<char>(mask | (bytes == 2 ? 126U : 127U));
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(length >> (8 * i));
  }
  if (masked) out += "key!";
  return out + std::string(size, 'p');
}

struct Row {
  const char* name;
  std::string frame;
  bool closes = false;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all{
      {"empty text", frame(0x81, 0)},
      {"empty text, masked", frame(0x81, 0, true)},
      {"one byte", frame(0x82, 1)},
      {"125 bytes", frame(0x82, 125, true)},
      {"126 bytes", frame(0x82, 126)},
      {"126 bytes, masked", frame(0x82, 126, true)},
      {"65,535 bytes", frame(0x82, 65535)},
      {"65,536 bytes", frame(0x82, 65536)},
      {"65,536 bytes, masked", frame(0x82, 65536, true)},
      {"a first fragment", frame(0x01, 3)},
      {"a last fragment", frame(0x80, 3)},
      {"compressed", frame(0xC1, 30)},
      {"a ping", frame(0x89, 4)},
      {"a pong, masked", frame(0x8A, 4, true)},
      {"an opcode that nobody knows", frame(0x83, 7)},
      {"a length in more bytes than it needs", "\x82\x7F\0\0\0\0\0\0\0\x02zz"s},
      {"a close", frame(0x88, 2), true},
      {"an empty close, masked", frame(0x88, 0, true), true},
  };
  return all;
}

TEST(WebSocketFramesTest, AFrameEndsWhereItsLengthSays) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    // Whole, and in every place but the middle of a long payload cut in two.
    for (std::size_t cut = 0; cut < std::min<std::size_t>(row.frame.size(), 20); ++cut) {
      WebSocketFrames frames;
      frames.pass(std::string_view(row.frame).substr(0, cut));
      EXPECT_EQ(frames.at_boundary(), cut == 0) << cut;
      EXPECT_FALSE(frames.closed());
      frames.pass(std::string_view(row.frame).substr(cut));
      EXPECT_TRUE(frames.at_boundary()) << cut;
      EXPECT_EQ(frames.closed(), row.closes) << cut;
    }
  }
}

TEST(WebSocketFramesTest, FinishStopsBeforeTheNextFrame) {
  for (const Row& row : rows()) {
    SCOPED_TRACE(row.name);
    for (const std::size_t begun : {std::size_t{1}, row.frame.size() / 2, row.frame.size() - 1}) {
      if (begun == 0) continue;
      WebSocketFrames frames;
      const std::string next = row.frame.substr(begun) + "\x81\x01x"s;
      frames.pass(std::string_view(row.frame).substr(0, begun));
      EXPECT_EQ(frames.finish(next), row.frame.size() - begun);
      EXPECT_TRUE(frames.at_boundary());
      EXPECT_EQ(frames.finish(next), 0U) << "at a boundary nothing has begun";
    }
  }
}

TEST(WebSocketFramesTest, ManyFramesAtOnceAndByteByByte) {
  std::string stream;
  for (const Row& row : rows()) {
    if (!row.closes) stream += row.frame;
  }
  WebSocketFrames whole;
  whole.pass(stream);
  EXPECT_TRUE(whole.at_boundary());
  EXPECT_FALSE(whole.closed());
  WebSocketFrames pieces;
  for (const char& byte : stream) pieces.pass({&byte, 1});
  EXPECT_TRUE(pieces.at_boundary());
  pieces.pass("\x82"s);
  EXPECT_FALSE(pieces.at_boundary());
}

TEST(WebSocketFramesTest, AfterALengthThatIsNoneThereIsNoBoundary) {
  WebSocketFrames frames;
  frames.pass("\x82\x7F\x80\0\0\0\0\0\0\0"s);
  EXPECT_FALSE(frames.at_boundary());
  EXPECT_EQ(frames.finish("\x81\0"s), 2U);
  frames.pass("\x88\0"s);
  EXPECT_FALSE(frames.at_boundary());
  EXPECT_FALSE(frames.closed());
  // The longest that is one.
  WebSocketFrames long_one;
  long_one.pass("\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
  EXPECT_EQ(long_one.finish(std::string(1000, '\x88')), 1000U);
  EXPECT_FALSE(long_one.at_boundary());
}

TEST(WebSocketFramesTest, OurCloseFrame) {
  EXPECT_EQ(close_frame(kPolicyViolation, "no"), "\x88\x04\x03\xF0no"s);
  EXPECT_EQ(close_frame(1000, ""), "\x88\x02\x03\xE8"s);
  // RFC 6455 5.3: octet i of the payload is XORed with octet i modulo 4 of the key.
  EXPECT_EQ(close_frame(kPolicyViolation, "abc", 0x01020304),
            "\x88\x85\x01\x02\x03\x04\x02\xF2\x62\x66\x62"s);
  const std::string longest = close_frame(kPolicyViolation, std::string(123, 'x'), 7);
  WebSocketFrames frames;
  frames.pass(longest);
  EXPECT_TRUE(frames.at_boundary());
  EXPECT_TRUE(frames.closed());
}

}  // namespace
}  // namespace holdfast::http
