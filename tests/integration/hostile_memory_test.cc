// What one client can make us hold. 10 KiB of anything on one connection hold less than 1 MiB, whatever a
// backend of HTTP/1 does; every other bomb goes over TLS. HOLDFAST_TEST_VERBOSE in the environment prints how
// much.
#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>

#include "hostile.h"

namespace holdfast::integration {
namespace {

using namespace by_hand;

constexpr std::size_t kBudget = 10 * 1024;
constexpr double kMostKib = 1024;
constexpr std::size_t kStreams = 100;  // that one connection may have open

// ---- HPACK by hand: indexes into the static table, and into the dynamic one by what entered it last
constexpr std::string_view kGetRoot = "\x82\x86\x84";   // :method GET, :scheme http, :path /
constexpr std::string_view kPostRoot = "\x83\x86\x84";  // :method POST

std::string name_entry(unsigned place, std::size_t times = 1) {
  return std::string(times, static_cast<char>(0x80 + 62 + place));
}
// Settings that let nothing of an answer through.
std::string closed_hello() {
  return std::string(kPreface) + frame(kSettings, kNone, 0, number(4, 2) + number(0, 4));
}
std::string head(std::uint32_t n, std::string_view block, bool end = true) {
  return frame(kHeaders, kEndHeaders | (end ? kEnd : kNone), 2 * n + 1, block);
}
// The first request puts `first` into the table after :authority; the others name what `again` names, and
// :authority as it stands then.
std::string many(std::string_view first, std::string_view again, bool end = true) {
  const std::string_view root = end ? kGetRoot : kPostRoot;
  std::string bytes =
      closed_hello() +
      head(0, std::string(root) + entry(":authority", "a") + std::string(first) + std::string(again), end);
  const std::string authority = name_entry(first.empty() ? 0 : 1);
  for (std::uint32_t n = 1; n < kStreams; ++n) {
    bytes += head(n, std::string(root) + authority + std::string(again), end);
  }
  return bytes;
}

struct Bomb {
  const char* name;
  std::string bytes;
};

// As many as 10 KiB hold on a hundred streams.
const Bomb kBombs[] = {
    {"TinyRequests", many("", "")},
    {"TinyUploads", many("", "", false)},
    {"OneLargeEntryNamedSixteenTimes", many(entry("x", std::string(3900, 'a')), name_entry(0, 15))},
    {"SmallEntriesNamedOften", many(entry("x", std::string(600, 'a')), name_entry(0, 80))},
    {"FieldsWithoutBytes", many(entry("x", ""), name_entry(0, 85))},
    {"CookiesInPieces", many(entry("cookie", std::string(600, 'a')), name_entry(0, 80))},
    {"LongPaths",
     [] {
       std::string bytes =
           closed_hello() +
           head(0, std::string("\x82\x86", 2) + entry(":authority", "a") +
                       entry(":path", "/" + std::string(3900, 'p') + "?" + std::string(50, 'q')));
       for (std::uint32_t n = 1; n < kStreams; ++n) {
         bytes += head(n, std::string("\x82\x86", 2) + name_entry(1) + name_entry(0));
       }
       return bytes;
     }()},
    {"LongVia", many(entry("via", std::string(3900, 'v')), name_entry(0, 15))},
    {"ASectionWithoutEnd", closed_hello() +
                               frame(kHeaders, kEnd, 1,
                                     std::string(kGetRoot) + entry(":authority", "a") +
                                         entry("x", std::string(3900, 'a')) + name_entry(0, 14)) +
                               frame(kMore, kNone, 1, entry("y", std::string(3900, 'b')))},
    {"PipelinedRequestsOfHttp1",
     [] {
       std::string bytes;
       while (bytes.size() < 10'000) bytes += "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
       return bytes;
     }()},
    {"ChunksOfOneByteOfHttp1",
     [] {
       std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
       while (bytes.size() < 10'000) bytes += "1\r\nx\r\n";
       return bytes;
     }()},
};

// ---- backends that do not help

enum class Behind { kSilent, kSilentHttp2, kLarge };

class Backends {
 public:
  explicit Backends(Behind behind) : silent_(support::listen_loopback(0)) {
    large_.on_request([](Exchange& exchange) {
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 4194304\r\n\r\n");
      const std::string piece(64 * 1024, 'x');
      for (int i = 0; i < 64 && exchange.send(piece); ++i) continue;
      exchange.close();
    });
    const std::string silent = "://127.0.0.1:" + std::to_string(support::local_port(silent_));
    url_ = behind == Behind::kLarge         ? large_.url()
           : behind == Behind::kSilentHttp2 ? "h2c" + silent
                                            : "http" + silent;
  }
  [[nodiscard]] std::string url() const { return '"' + url_ + '"'; }

 private:
  support::Socket silent_;  // the kernel takes connections and requests, and nobody reads them
  HttpServer large_;
  std::string url_;
};

std::string name_of(Behind behind) {
  if (behind == Behind::kLarge) return "Large";
  return behind == Behind::kSilentHttp2 ? "SilentHttp2" : "Silent";
}

class HostileMemoryTest : public testing::TestWithParam<Behind> {};

TEST_P(HostileMemoryTest, TenKibHoldLessThanOneMib) {
  if (!memory_counts()) GTEST_SKIP() << "memory under a sanitizer says nothing about the program's own";
  constexpr std::size_t kEach = 8;
  bool tls = false;
  for (const Bomb& bomb : kBombs) {
    ASSERT_LE(bomb.bytes.size(), kBudget) << bomb.name;
    tls = !tls;
    const Backends backends(GetParam());
    // A process of its own: what another bomb left in the allocator's pools would hide what this one takes.
    const Sidecar sidecar({
        .upstream = "max_connections: 2048, timeouts: {connect: 60s}, ",
        .servers = backends.url(),
        .routes = "  - {name: all, match: {path: [/, \"/*\"]}, access: public, upstream: backend}\n",
    });
    const double kib = kib_held_by_each(sidecar, kEach, [&] {
      const char* const alpn = bomb.bytes.starts_with("PRI") ? "\x02h2" : "\x08http/1.1";
      Attacker attacker =
          tls ? Attacker(Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = alpn}),
                         Attacker::Kind::kTls)
              : Attacker(sidecar.dial_plain());
      EXPECT_EQ(attacker.send(bomb.bytes), bomb.bytes.size());
      return attacker;
    });
    EXPECT_LT(kib, kMostKib) << bomb.name << (tls ? " over TLS" : "");
    if (std::getenv("HOLDFAST_TEST_VERBOSE") != nullptr) {
      std::printf("%-32s %-12s %-5s %6zu bytes held %8.1f KiB\n", bomb.name, name_of(GetParam()).c_str(),
                  tls ? "tls" : "plain", bomb.bytes.size(), kib);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Behind, HostileMemoryTest,
                         testing::Values(Behind::kSilent, Behind::kSilentHttp2, Behind::kLarge),
                         [](const auto& row) { return name_of(row.param); });

}  // namespace
}  // namespace holdfast::integration
