#include "wire/proxy_protocol.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

namespace holdfast::wire {
namespace {

using State = ProxyHeaderDecoder::State;
using namespace std::string_literals;

const std::string kSignature = "\r\n\r\n\0\r\nQUIT\n"s;
const std::string kTcp4 = "\xC0\x00\x02\x07\x0A\x00\x00\x01\xC0\x01\x01\xBB"s;  // 192.0.2.7 to 10.0.0.1
const std::string kTcp6 =
    "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x07" + std::string(15, '\0') + "\x01\xC0\x01\x01\xBB";

std::string header(unsigned char command, unsigned char family, const std::string& rest) {
  std::string out = kSignature;
  out += static_cast<char>(command);
  out += static_cast<char>(family);
  out += static_cast<char>(rest.size() >> 8);
  out += static_cast<char>(rest.size() & 0xFF);
  return out + rest;
}

struct Outcome {
  State state = State::kNeedMore;
  std::size_t used = 0;
  std::string source = "";  // empty: the peer itself
};

// `piece`: how many bytes are at hand at a time.
Outcome decode(std::string_view bytes, std::size_t piece) {
  ProxyHeaderDecoder decoder;
  Outcome out;
  while (out.state == State::kNeedMore && out.used < bytes.size()) {
    const std::size_t size = std::min({decoder.wanted(), piece, bytes.size() - out.used});
    EXPECT_GT(size, 0U);
    if (size == 0) break;
    out.state = decoder.feed(std::span(bytes).subspan(out.used, size));
    out.used += size;
  }
  if (out.state == State::kDone && decoder.source()) out.source = decoder.source()->text();
  return out;
}

TEST(ProxyProtocol, NamesTheClientAndTakesNoByteMore) {
  const std::string tlvs = "\x04\x00\x03\x00\x00\x00\x01\x00\x02h2"s;
  const struct {
    std::string bytes;
    std::string_view source;
  } cases[] = {
      {header(0x21, 0x11, kTcp4), "192.0.2.7"},
      {header(0x21, 0x21, kTcp6), "2001:db8::7"},
      {header(0x21, 0x11, kTcp4 + tlvs), "192.0.2.7"},
      {header(0x21, 0x21, kTcp6 + std::string(4096 - 36, 'x')), "2001:db8::7"},
      {header(0x21, 0x21, std::string(10, '\0') + "\xFF\xFF\xC0\x00\x02\x07"s + std::string(20, '\0')),
       "192.0.2.7"},
      // LOCAL, with whatever it says of addresses.
      {header(0x20, 0x00, ""), ""},
      {header(0x20, 0x11, kTcp4), ""},
      {header(0x20, 0x31, std::string(216, 'x')), ""},
      {header(0x20, 0xFF, "abc"), ""}};
  for (const auto& row : cases) {
    for (const std::size_t piece : {1u, 3u, 16u, 10'000u}) {
      const Outcome out = decode(row.bytes + "GET / HTTP/1.1\r\n", piece);
      EXPECT_EQ(out.state, State::kDone) << &row - cases;
      EXPECT_EQ(out.used, row.bytes.size());
      EXPECT_EQ(out.source, row.source);
    }
  }
}

TEST(ProxyProtocol, RefusesEverythingElse) {
  const struct {
    const char* what;
    std::string bytes;
  } cases[] = {{"HTTP", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
               {"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 "s},
               {"version 1", "PROXY TCP4 192.0.2.7 10.0.0.1 1 2\r\n"},
               {"another version", header(0x11, 0x11, kTcp4)},
               {"version 3", header(0x31, 0x11, kTcp4)},
               {"an unknown command", header(0x22, 0x11, kTcp4)},
               {"an unknown address", header(0x21, 0x00, "")},
               {"an unknown address with one", header(0x21, 0x00, kTcp4)},
               {"UDP over IPv4", header(0x21, 0x12, kTcp4)},
               {"UDP over IPv6", header(0x21, 0x22, kTcp6)},
               {"a Unix socket", header(0x21, 0x31, std::string(216, 'x'))},
               {"TCP over nothing", header(0x21, 0x01, kTcp4)},
               {"an address cut short", header(0x21, 0x11, kTcp4.substr(1))},
               {"an IPv6 address cut short", header(0x21, 0x21, kTcp6.substr(1))},
               {"IPv4 where IPv6 is said", header(0x21, 0x21, kTcp4)},
               {"no address", header(0x21, 0x11, "")},
               {"too long", header(0x21, 0x11, kTcp4 + std::string(4096 - 11, 'x'))},
               {"too long for LOCAL", header(0x20, 0x00, std::string(65535, 'x'))}};
  for (const auto& row : cases) {
    for (const std::size_t piece : {1u, 7u, 10'000u}) {
      const Outcome out = decode(row.bytes, piece);
      EXPECT_EQ(out.state, State::kFault) << row.what;
      EXPECT_LE(out.used, 16U) << row.what << ": refused by its fixed part at the latest";
    }
  }
  for (std::size_t i = 0; i < 12; ++i) {
    std::string wrong = header(0x21, 0x11, kTcp4);
    wrong[i] = static_cast<char>(wrong[i] ^ 1);
    EXPECT_EQ(decode(wrong, 1).used, i + 1) << "a wrong signature is known by its first wrong byte";
  }
}

TEST(ProxyProtocol, IsNeverDoneEarly) {
  const std::string whole = header(0x21, 0x11, kTcp4 + "\x04\x00\x01\x00"s);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(decode(std::string_view(whole).substr(0, size), 100).state, State::kNeedMore) << size;
  }
}

}  // namespace
}  // namespace holdfast::wire
