// What the tests of hostile peers share: a client that follows no rule and never blocks, and what the process
// under attack says of itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sidecar.h"
#include "support/http2_frames_by_hand.h"

namespace holdfast::integration {

namespace by_hand = support::by_hand;

// One connection with bytes made by hand. What it is sent is read when asked for, or never; what the server
// does not take stays unsent.
class Attacker {
 public:
  enum class Kind { kPlain, kTls };
  explicit Attacker(Stream stream, Kind kind = Kind::kPlain) : stream_(std::move(stream)), kind_(kind) {}

  // How much was sent: less than all when the server takes no more, or has ended the connection.
  std::size_t send(std::string_view bytes);
  // The kernel takes no more than a little for it: elsewise it would take many MiB that nobody reads.
  void take_little() const;
  // Reads what there is, waiting for the first byte at most so long.
  void read(Milliseconds patience = Milliseconds{0});
  // Reads until the server has ended its side. false: it did not.
  bool wait_end(Milliseconds patience = kPatience);

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::string& received() const { return received_; }
  // The last GOAWAY's error code.
  [[nodiscard]] std::optional<std::uint32_t> goaway() const;
  [[nodiscard]] std::size_t count(int frame_type) const;
  [[nodiscard]] Stream& stream() { return stream_; }

 private:
  // A few KiB can be sent without waiting for the server.
  [[nodiscard]] bool writable() const;

  Stream stream_;
  Kind kind_;
  std::string received_;
  bool ended_ = false;
};

// A line of /metrics: `holdfast_connections{listener="mesh"}`. 0 where there is none.
[[nodiscard]] std::uint64_t metric(const Sidecar& sidecar, std::string_view sample);
// Waits until it is so much at least.
[[nodiscard]] bool wait_metric(const Sidecar& sidecar, std::string_view sample, std::uint64_t least,
                               Milliseconds patience = kPatience);
// Resident memory, once it has stopped growing.
[[nodiscard]] std::size_t settled_kib(const Sidecar& sidecar);

// Fails once the process has grown by more than 16 MiB since it was first asked about. Says nothing under a
// sanitizer.
void expect_little_growth(const Sidecar& sidecar);

// KiB that each of `count` connections makes the process hold. `attack` dials one and leaves it as it should
// be measured; the first one, which fills pools and caches, is not counted.
[[nodiscard]] double kib_held_by_each(const Sidecar& sidecar, std::size_t count,
                                      const std::function<Attacker()>& attack);

}  // namespace holdfast::integration
