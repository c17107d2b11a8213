// See hostile.h.
#include "hostile.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <thread>

namespace holdfast::integration {

using Clock = std::chrono::steady_clock;

std::size_t Attacker::send(std::string_view bytes) {
  const std::string_view all = bytes;
  while (!bytes.empty() && !ended_) {
    const std::string_view piece = bytes.substr(0, 16 * 1024);
    if (kind_ == Kind::kPlain) {
      const ssize_t sent = ::send(stream_.fd(), piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (sent < 0) ended_ = true;
      if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    // A record goes whole or not at all: none is begun that could wait for a server which does not read.
    if (!writable()) break;
    if (!stream_.send(piece)) ended_ = true;
    bytes.remove_prefix(piece.size());
  }
  return all.size() - bytes.size();
}

bool Attacker::writable() const {
  pollfd entry{stream_.fd(), POLLOUT, 0};
  return ::poll(&entry, 1, 0) > 0;
}

void Attacker::take_little() const {
  const int size = 64 * 1024;
  ::setsockopt(stream_.fd(), SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

void Attacker::read(Milliseconds patience) {
  while (!ended_) {
    switch (stream_.read_some(received_, patience)) {
      case support::ReadResult::kBytes:
        patience = Milliseconds{0};
        break;
      case support::ReadResult::kTimeout:
        return;
      case support::ReadResult::kEnd:
      case support::ReadResult::kReset:
        ended_ = true;
    }
  }
}

bool Attacker::wait_end(Milliseconds patience) {
  const auto until = Clock::now() + patience;
  while (!ended_ && Clock::now() < until) read(Milliseconds{50});
  return ended_;
}

std::optional<std::uint32_t> Attacker::goaway() const {
  std::optional<std::uint32_t> error;
  for (const by_hand::Frame& frame : by_hand::frames(received_)) {
    if (frame.type == by_hand::kGoaway) error = frame.word(4);
  }
  return error;
}

std::size_t Attacker::count(int frame_type) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(by_hand::frames(received_),
                            [frame_type](const by_hand::Frame& frame) { return frame.type == frame_type; }));
}

std::uint64_t metric(const Sidecar& sidecar, std::string_view sample) {
  Stream stream = Stream::plain(sidecar.probes_port);
  stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string page = MessageReader(stream).response().body;
  const std::string line = "\n" + std::string(sample) + " ";
  const std::size_t at = page.find(line);
  return at == std::string::npos ? 0 : std::stoull(page.substr(at + line.size()));
}

bool wait_metric(const Sidecar& sidecar, std::string_view sample, std::uint64_t least,
                 Milliseconds patience) {
  for (const auto until = Clock::now() + patience; Clock::now() < until;) {
    if (metric(sidecar, sample) >= least) return true;
    std::this_thread::sleep_for(Milliseconds{20});
  }
  return false;
}

std::size_t settled_kib(const Sidecar& sidecar) {
  constexpr std::size_t kStill = 32;
  constexpr int kLooks = 5;
  std::size_t before = sidecar.holdfast->resident_kib();
  int still = 0;
  for (const auto until = Clock::now() + kPatience; still < kLooks && Clock::now() < until;) {
    std::this_thread::sleep_for(Milliseconds{100});
    const std::size_t now = sidecar.holdfast->resident_kib();
    still = now <= before + kStill ? still + 1 : 0;
    before = now;
  }
  return before;
}

void expect_little_growth(const Sidecar& sidecar) {
  constexpr std::size_t kMostKib = 16 * 1024;
  static std::map<pid_t, std::size_t> first;
  if (!memory_counts()) return;
  const std::size_t now = sidecar.holdfast->resident_kib();
  EXPECT_LT(now, first.try_emplace(sidecar.holdfast->pid(), now).first->second + kMostKib);
}

double kib_held_by_each(const Sidecar& sidecar, std::size_t count, const std::function<Attacker()>& attack) {
  std::vector<Attacker> held;
  held.push_back(attack());
  const std::size_t before = settled_kib(sidecar);
  for (std::size_t i = 0; i < count; ++i) held.push_back(attack());
  const std::size_t after = settled_kib(sidecar);
  return (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(count);
}

}  // namespace holdfast::integration
