// Ten thousand connections that rest: each holds little, and others are served beside them. At the limit on
// connections those beyond it wait.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "hostile.h"

namespace holdfast::integration {
namespace {

using namespace by_hand;

constexpr std::size_t kMany = 10'000;
constexpr std::size_t kReserve = 1500;  // descriptors of the two processes for everything else

// A connection of the test that holds a descriptor and nothing else: TLS as the handshake left it.
class Resting {
 public:
  explicit Resting(Stream stream) : fd_(::fcntl(stream.fd(), F_DUPFD_CLOEXEC, 0)) {}
  Resting(Resting&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Resting& operator=(Resting&&) = delete;
  ~Resting() {
    if (fd_ >= 0) ::close(fd_);
  }
  // The server has ended it.
  [[nodiscard]] bool ended() const {
    char byte = 0;
    for (;;) {
      const ssize_t got = ::recv(fd_, &byte, 1, MSG_DONTWAIT);
      if (got == 0) return true;
      if (got < 0) return errno != EAGAIN && errno != EWOULDBLOCK;
    }
  }

 private:
  int fd_;
};

std::string open_connections(std::string_view listener) {
  return "holdfast_connections{listener=\"" + std::string(listener) + "\"}";
}

std::string limit_of(std::size_t connections) {
  return "limits: {max_connections: " + std::to_string(connections) + "}, ";
}

// How many connections there may be here: ten thousand, or what the hard limit on descriptors leaves to each
// of two listeners.
std::size_t many() {
  const std::size_t limit = open_descriptor_limit();
  const std::size_t most = limit < 4 * kReserve ? 200 : (limit - kReserve) / 2;
  if (!memory_counts()) return std::min<std::size_t>(500, most);
  if (most < kMany)
    std::printf("the limit of %zu descriptors allows %zu connections, not %zu\n", limit, most, kMany);
  return std::min(kMany, most);
}

struct Rest {
  const char* name;
  const char* listener;
  std::size_t share;  // of the connections, in percent; the rest are plain ones that say nothing
  double most_kib;
  Stream (*dial)(const Sidecar& sidecar);
};

Stream dial_tls(const Sidecar& sidecar, const char* alpn) {
  return Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .alpn = alpn});
}

const Rest kRests[] = {
    {"Silent", "mesh", 100, 4, [](const Sidecar& sidecar) { return sidecar.dial_plain(); }},
    {"HalfAHead", "mesh", 100, 6,
     [](const Sidecar& sidecar) {
       Stream stream = sidecar.dial_plain();
       stream.send("GET /public/x HTTP/1.1\r\nHost: a\r\n");
       return stream;
     }},
    {"KeptAlive", "mesh", 100, 8,
     [](const Sidecar& sidecar) {
       Stream stream = sidecar.dial_plain();
       stream.send("GET /public/x HTTP/1.1\r\nHost: a\r\n\r\n");
       EXPECT_EQ(MessageReader(stream).response().status, 200);
       return stream;
     }},
    {"Http2", "mesh", 100, 24,
     [](const Sidecar& sidecar) {
       Stream stream = sidecar.dial_plain();
       stream.send(hello());
       return stream;
     }},
    {"Tls", "public", 20, 24, [](const Sidecar& sidecar) { return dial_tls(sidecar, "\x08http/1.1"); }},
    {"Http2OverTls", "public", 20, 48,
     [](const Sidecar& sidecar) {
       Stream stream = dial_tls(sidecar, "\x02h2");
       stream.send(hello());
       return stream;
     }},
};

class HostileIdleTest : public testing::TestWithParam<Rest> {};

TEST_P(HostileIdleTest, HoldsLittleAndOthersAreServed) {
  const Rest& rest = GetParam();
  const std::size_t count = many() * rest.share / 100;
  const Sidecar sidecar(
      {.listener = limit_of(count + 100) + "timeouts: {handshake: 5m, headers: 5m, idle: 5m}, ",
       .upstream = "max_connections: 100, "});
  std::vector<Resting> held;
  held.reserve(count + 50);
  for (int i = 0; i < 50; ++i) held.emplace_back(rest.dial(sidecar));  // fills pools and caches
  ASSERT_TRUE(wait_metric(sidecar, open_connections(rest.listener), 50));
  const std::size_t before = settled_kib(sidecar);
  for (std::size_t i = 0; i < count; ++i) held.emplace_back(rest.dial(sidecar));
  ASSERT_TRUE(wait_metric(sidecar, open_connections(rest.listener), count + 50, Milliseconds{120'000}));
  const double kib = static_cast<double>(settled_kib(sidecar) - before) / static_cast<double>(count);
  std::printf("%-14s %6zu connections, %5.2f KiB each\n", rest.name, count, kib);
  if (memory_counts()) {
    EXPECT_LT(kib, rest.most_kib);
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(sidecar.send({.target = "/public/x"}).status, 200);
}

INSTANTIATE_TEST_SUITE_P(Rests, HostileIdleTest, testing::ValuesIn(kRests),
                         [](const auto& row) { return std::string(row.param.name); });

// ---- the limit

// Who comes waits for one of those that are at work to end.
TEST(HostileLimitTest, WhoComesWaits) {
  constexpr std::size_t kLimit = 64;
  Sidecar sidecar({.listener = limit_of(kLimit)});
  std::atomic<bool> go{false};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    while (!go) std::this_thread::sleep_for(Milliseconds{5});
    exchange.respond(200, "", "ok");
  });
  std::vector<Stream> busy;
  for (std::size_t i = 0; i < kLimit; ++i) {
    busy.push_back(sidecar.dial_plain());
    busy.back().send("GET /public/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  }
  ASSERT_TRUE(wait_metric(sidecar, open_connections("mesh"), kLimit));
  ASSERT_TRUE(sidecar.backend.wait_for(kLimit));
  Stream late = sidecar.dial_plain();
  late.send("GET /public/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  ASSERT_TRUE(wait_metric(sidecar, "holdfast_accept_pauses_total{listener=\"mesh\"}", 1));
  EXPECT_EQ(metric(sidecar, open_connections("mesh")), kLimit);
  go = true;
  for (Stream& each : busy) EXPECT_EQ(MessageReader(each).response().status, 200);
  EXPECT_EQ(MessageReader(late).response().status, 200);
}

}  // namespace
}  // namespace holdfast::integration
