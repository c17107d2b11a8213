// Floods of HTTP/2: frames that cost and ask for nothing, streams begun to be thrown away, heads without an
// end. Each ends its connection with GOAWAY after a bounded number, is counted, leaves no memory behind, and
// other clients are served meanwhile.
#include <thread>

#include "hostile.h"
#include "support/http2_client.h"

namespace holdfast::integration {
namespace {

using namespace by_hand;
using support::Http2Client;

constexpr std::uint32_t kMost = 20'000;  // of one thing, where the connection has to end far below

std::uint32_t stream_of(std::uint32_t n) {
  return 2 * n + 1;
}
std::string request(std::uint32_t n, bool end = true) {
  return headers(stream_of(n), get("/public/x"), end);
}
std::string upload(std::uint32_t n, const List& more = {}) {
  return headers(stream_of(n), with(post("/public/x"), more), false);
}
std::string reset(std::uint32_t n) {
  return frame(kRst, kNone, stream_of(n), number(NGHTTP2_CANCEL, 4));
}

std::string nothing() {
  return {};
}

struct Flood {
  const char* name;
  std::string (*one)(std::uint32_t n);
  const char* sample = "";  // what counts it, beside the connection's end
  std::string (*first)() = nothing;
  std::uint64_t counted = 50;  // more than so many times

  friend void PrintTo(const Flood& row, std::ostream* out) { *out << row.name; }
};

std::string one_upload() {
  return upload(0);
}
// HEADERS without END_HEADERS: a field section that CONTINUATION goes on with.
std::string open_section() {
  return frame(kHeaders, kEnd, 1, hpack(get("/public/x")));
}
constexpr const char* kResets = "holdfast_http2_excess_total{listener=\"mesh\",kind=\"reset\"}";
constexpr const char* kIdleFrames = "holdfast_http2_excess_total{listener=\"mesh\",kind=\"idle_frame\"}";
constexpr const char* kWindows = "holdfast_http2_excess_total{listener=\"mesh\",kind=\"window_update\"}";
constexpr const char* kRepeats = "holdfast_http2_excess_total{listener=\"mesh\",kind=\"repeat\"}";
constexpr const char* kMalformed = "holdfast_stream_resets_total{listener=\"mesh\",cause=\"malformed\"}";

// What libnghttp2 bounds by itself is not counted frame by frame.
const Flood kFloods[] = {
    {"RapidReset", [](std::uint32_t n) { return request(n) + reset(n); }, kResets},
    {"ResetOfUploads", [](std::uint32_t n) { return upload(n) + reset(n); }, kResets},
    {"WindowOverflow",
     [](std::uint32_t n) { return request(n) + frame(kWindow, kNone, stream_of(n), number(0x7fffffff, 4)); },
     kMalformed},
    {"LengthTooShort",
     [](std::uint32_t n) {
       return upload(n, {{"content-length", "1"}}) + frame(kData, kEnd, stream_of(n), "ab");
     },
     kMalformed},
    {"LengthTooLong",
     [](std::uint32_t n) {
       return upload(n, {{"content-length", "9"}}) + frame(kData, kEnd, stream_of(n), "ab");
     },
     kMalformed},
    {"TrailersWithoutEnd",
     [](std::uint32_t n) {
       return upload(n) + frame(kHeaders, kEndHeaders, stream_of(n), hpack({{"a", "b"}}));
     },
     kMalformed},
    {"MalformedHead", [](std::uint32_t n) { return headers(stream_of(n), {{":method", "GET"}}); },
     kMalformed},
    {"StreamsBeyondTheLimit", [](std::uint32_t n) { return upload(n); }, kMalformed},
    {"Ping", [](std::uint32_t) { return frame(kPing, kNone, 0, "12345678"); }, kIdleFrames},
    {"PingAck", [](std::uint32_t) { return frame(kPing, kAck, 0, "12345678"); }, kIdleFrames},
    {"Settings", [](std::uint32_t) { return frame(kSettings, kNone, 0); }, kIdleFrames},
    {"TableSizes",
     [](std::uint32_t n) { return frame(kSettings, kNone, 0, number(1, 2) + number(n % 2 * 65536, 4)); },
     kIdleFrames},
    {"WindowSizes",
     [](std::uint32_t n) { return frame(kSettings, kNone, 0, number(4, 2) + number(n % 2 * 65536, 4)); },
     kIdleFrames, one_upload},
    {"Priority", [](std::uint32_t n) { return frame(kPriority, kNone, stream_of(n), std::string(5, '\0')); },
     kIdleFrames},
    {"Unknown", [](std::uint32_t) { return frame(0x42, kNone, 0, "x"); }, kIdleFrames},
    {"EmptyData", [](std::uint32_t) { return frame(kData, kNone, 1); }, kIdleFrames, one_upload},
    {"PaddedEmptyData", [](std::uint32_t) { return frame(kData, kPadded, 1, std::string("\2\0\0", 3)); },
     kIdleFrames, one_upload},
    {"TinyWindowUpdates", [](std::uint32_t) { return frame(kWindow, kNone, 0, number(1, 4)); }, kWindows},
    {"EmptyContinuations", [](std::uint32_t) { return frame(kMore, kNone, 1); }, "", open_section},
    {"Continuations",
     [](std::uint32_t) { return frame(kMore, kNone, 1, hpack({{"x", std::string(1000, 'c')}})); }, "",
     open_section},
    // One entry of 4 KiB in the table, then a section that names it a thousand times with each frame.
    {"HeaderTableBomb",
     [](std::uint32_t n) {
       return frame(kHeaders, kEnd | kEndHeaders, stream_of(n),
                    hpack(get("/public/x")) + entry("x", std::string(4000, 'a')) + std::string(1000, '\xbe'));
     }},
    // Within every limit on a head, and a thousandth of it sent.
    {"RepeatedEntries",
     [](std::uint32_t n) {
       return frame(
           kHeaders, kEnd | kEndHeaders, stream_of(n),
           hpack(get("/public/x")) + (n == 0 ? entry("x", std::string(600, 'a')) : std::string(90, '\xbe')));
     },
     kRepeats, nothing, 5},
};

class HostileFloodTest : public SharedSidecar, public testing::WithParamInterface<Flood> {};

TEST_P(HostileFloodTest, EndsCountedWhileOthersAreServed) {
  const Flood& flood = GetParam();
  Http2Client other(
      Stream::tls(sidecar->tls_port, {.server_name = std::string(kHost), .alpn = support::kAlpnHttp2}));
  const support::Http2Fields ask = {
      {":method", "GET"}, {":scheme", "https"}, {":authority", std::string(kHost)}, {":path", "/public/x"}};
  EXPECT_EQ(other.ask(ask).status, 200);
  const std::string ended = "holdfast_connection_closes_total{listener=\"mesh\",cause=\"flood\"}";
  const std::uint64_t ended_before = metric(*sidecar, ended);
  const std::uint64_t counted_before = metric(*sidecar, flood.sample);
  expect_little_growth(*sidecar);

  Attacker attacker(sidecar->dial_plain());
  attacker.send(hello() + flood.first());
  std::uint32_t n = 0;
  for (std::string unsent; n < kMost && !attacker.ended() && !attacker.goaway(); ++n) {
    unsent += flood.one(n);
    unsent.erase(0, attacker.send(unsent));
    if (n % 50 != 0) continue;
    attacker.read(unsent.empty() ? Milliseconds{1} : Milliseconds{50});
    EXPECT_EQ(other.ask(ask).status, 200) << n;
  }
  EXPECT_LT(n, kMost);
  EXPECT_TRUE(attacker.wait_end());
  EXPECT_EQ(attacker.goaway(), NGHTTP2_ENHANCE_YOUR_CALM);
  EXPECT_TRUE(wait_metric(*sidecar, ended, ended_before + 1));
  if (*flood.sample != '\0') {
    EXPECT_GT(metric(*sidecar, flood.sample), counted_before + flood.counted);
  }
  EXPECT_EQ(other.ask(ask).status, 200);
  expect_little_growth(*sidecar);
}

INSTANTIATE_TEST_SUITE_P(Floods, HostileFloodTest, testing::ValuesIn(kFloods),
                         [](const auto& row) { return std::string(row.param.name); });

class HostileBreathTest : public SharedSidecar {};

// CVE-2023-44487 makes the backend, or the way to it, do the work. What is reset by the time it has been read
// does not begin.
TEST_F(HostileBreathTest, WhatIsResetInOneBreathNeverReachesTheBackend) {
  constexpr std::uint32_t kRequests = 100;
  const std::uint64_t resets = metric(*sidecar, kResets);
  const int dialled = sidecar->backend.connections_accepted();
  const std::size_t seen = sidecar->backend.seen_count();
  std::string bytes = hello();
  for (std::uint32_t n = 0; n < kRequests; ++n) bytes += request(n) + reset(n);
  Attacker attacker(sidecar->dial_plain());
  EXPECT_EQ(attacker.send(bytes), bytes.size());
  EXPECT_TRUE(wait_metric(*sidecar, kResets, resets + kRequests));
  attacker.send(request(kRequests));
  EXPECT_TRUE(sidecar->backend.wait_for(seen + 1));
  EXPECT_LE(sidecar->backend.seen_count(), seen + 3) << "the bytes may come in more than one read";
  EXPECT_LE(sidecar->backend.connections_accepted(), dialled + 3);
}

// ---- what is wrong once and ends its connection at once (RFC 9113 5.4.1)

struct Wrong {
  const char* name;
  std::string bytes;

  friend void PrintTo(const Wrong& row, std::ostream* out) { *out << row.name; }
};

class HostileFrameTest : public SharedSidecar, public testing::WithParamInterface<Wrong> {};

TEST_P(HostileFrameTest, EndsItsConnectionAndNobodyElses) {
  Stream other = sidecar->dial();
  MessageReader reader(other);
  const Request request = {.target = "/public/x"};
  const std::string ended = "holdfast_connection_closes_total{listener=\"mesh\",cause=\"malformed\"}";
  const std::uint64_t before = metric(*sidecar, ended);
  Attacker attacker(sidecar->dial_plain());
  attacker.send(GetParam().bytes);
  EXPECT_TRUE(attacker.wait_end());
  ASSERT_TRUE(attacker.goaway().has_value());
  EXPECT_NE(attacker.goaway(), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(wait_metric(*sidecar, ended, before + 1));
  other.send(request.raw());
  EXPECT_EQ(reader.response().status, 200);
}

const Wrong kWrong[] = {
    {"ZeroIncrement", hello() + request(0) + frame(kWindow, kNone, 0, number(0, 4))},
    {"WindowOfTheConnection", hello() + frame(kWindow, kNone, 0, number(0x7fffffff, 4))},
    {"DataAfterTheEnd", hello() + request(0) + frame(kData, kNone, 1, "x")},
    {"HeadersAfterTheEnd",
     hello() + request(0) + frame(kHeaders, kEnd | kEndHeaders, 1, hpack({{"a", "b"}}))},
    {"DataOnAnIdleStream", hello() + frame(kData, kNone, 1, "x")},
    {"ResetOfAnIdleStream", hello() + frame(kRst, kNone, 1, number(8, 4))},
    {"AnEvenStream", hello() + headers(2, get("/public/x"))},
    {"APush", hello() + frame(kPush, kEndHeaders, 1, number(2, 4))},
    {"BrokenHpack", hello() + frame(kHeaders, kEnd | kEndHeaders, 1, "\xff\xff\xff")},
    {"AFrameTooLarge", hello() + number(0xffffff, 3) + number(0, 1) + number(0, 5)},
    {"SettingsOfOddLength", hello() + frame(kSettings, kNone, 0, "12345")},
    {"AResetOfOddLength", hello() + request(0) + frame(kRst, kNone, 1, "123")},
    {"APingOfOddLength", hello() + frame(kPing, kNone, 0, "1234567")},
    {"PaddingLongerThanItsFrame", hello() + request(0, false) + frame(kData, kPadded, 1, "\xff")},
    {"APingInsideASection", hello() + open_section() + frame(kPing, kNone, 0, "12345678")},
    {"AContinuationOfNothing", hello() + frame(kMore, kEndHeaders, 1)},
    {"ATableLargerThanAllowed", hello() + frame(kHeaders, kEnd | kEndHeaders, 1, "\x3f\xff\xff\x7f")},
};
INSTANTIATE_TEST_SUITE_P(Frames, HostileFrameTest, testing::ValuesIn(kWrong),
                         [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace holdfast::integration
