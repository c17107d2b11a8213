// What the clients of one listener have open, and what they did that cost and asked for nothing, on all
// workers: for the limit on connections, and for metrics. A request that goes well touches none of it but the
// open connections. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace holdfast::listener {

// Why a connection was ended here, other than by a drain or after `Connection: close`.
enum class Close : std::uint8_t {
  kHandshakeFailed,
  kHandshakeTimeout,  // the PROXY header and the first bytes of a plain connection included
  kProxyHeader,       // none, or from somebody who may not send one
  kHeadersTimeout,    // a head, or the preface of HTTP/2, that did not end
  kBodyTimeout,
  kIdleTimeout,
  kTunnelTimeout,
  kSlowReader,  // took nothing of its answer
  kMalformed,   // what it sent was no HTTP, or too large; after that nobody knows where a message begins
  kFlood,       // wire/http2_budget.h, and libnghttp2's own limits
};
inline constexpr auto kCloseNames = std::to_array<std::string_view>(
    {"handshake_failed", "handshake_timeout", "proxy_header", "headers_timeout", "body_timeout",
     "idle_timeout", "tunnel_timeout", "slow_reader", "malformed", "flood"});

// Why a stream of HTTP/2 was reset here while its connection went on.
enum class StreamReset : std::uint8_t { kMalformed, kRefused, kSlowReader, kTunnelTimeout };
inline constexpr auto kStreamResetNames =
    std::to_array<std::string_view>({"malformed", "refused", "slow_reader", "tunnel_timeout"});

// What HTTP/2's clients sent beside requests (wire::Http2Counts).
enum class Excess : std::uint8_t { kReset, kIdleFrame, kWindowUpdate, kRepeat };
inline constexpr auto kExcessNames =
    std::to_array<std::string_view>({"reset", "idle_frame", "window_update", "repeat"});

class ClientTally {
 public:
  // false: so many are open.
  [[nodiscard]] bool try_open(std::size_t limit) {
    std::size_t now = open_.load(std::memory_order_relaxed);
    while (now < limit) {
      if (open_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed)) return true;
    }
    return false;
  }
  void close() { open_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t open() const { return open_.load(std::memory_order_relaxed); }

  void count(Close cause) { add(closes_[static_cast<std::size_t>(cause)], 1); }
  void count(StreamReset cause, std::uint64_t times = 1) {
    add(resets_[static_cast<std::size_t>(cause)], times);
  }
  void count(Excess kind, std::uint64_t times) { add(excess_[static_cast<std::size_t>(kind)], times); }
  // Accepting paused because the limit was reached.
  void count_pause() { add(pauses_, 1); }

  [[nodiscard]] std::uint64_t closes(std::size_t cause) const { return get(closes_[cause]); }
  [[nodiscard]] std::uint64_t closes(Close cause) const { return closes(static_cast<std::size_t>(cause)); }
  [[nodiscard]] std::uint64_t resets(std::size_t cause) const { return get(resets_[cause]); }
  [[nodiscard]] std::uint64_t resets(StreamReset cause) const {
    return resets(static_cast<std::size_t>(cause));
  }
  [[nodiscard]] std::uint64_t excess(std::size_t kind) const { return get(excess_[kind]); }
  [[nodiscard]] std::uint64_t pauses() const { return get(pauses_); }

 private:
  using Count = std::atomic<std::uint64_t>;

  static void add(Count& count, std::uint64_t times) {
    if (times != 0) count.fetch_add(times, std::memory_order_relaxed);
  }
  [[nodiscard]] static std::uint64_t get(const Count& count) { return count.load(std::memory_order_relaxed); }

  std::atomic<std::size_t> open_ = 0;
  std::array<Count, kCloseNames.size()> closes_{};
  std::array<Count, kStreamResetNames.size()> resets_{};
  std::array<Count, kExcessNames.size()> excess_{};
  Count pauses_ = 0;
};

}  // namespace holdfast::listener
