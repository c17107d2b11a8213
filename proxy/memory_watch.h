// Says that the process is about to run out of memory, so that workers refuse new requests (503 `overloaded`)
// while those under way can still end: being killed would end them all. The limit is what the configuration
// says, and at most that of the cgroup and the machine's memory; overloaded from nine tenths of it on, until
// an eighth of it and more is free again. Control thread, but for the flag, which any thread reads.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "net/timer_wheel.h"
#include "net/worker.h"
#include "pipeline/ports.h"

namespace holdfast {

class MemoryWatch final : private net::Expirable {
 public:
  // `limit`: bytes. `resident`: bytes in use now; `release` gives back to the system what is only kept.
  MemoryWatch(net::Worker& control, pipeline::EventLog& log, std::uint64_t limit,
              std::function<std::uint64_t()> resident, std::function<void()> release);
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

  void set_limit(std::uint64_t limit) { limit_ = limit; }
  void start();
  void stop() { look_.cancel(); }
  [[nodiscard]] const std::atomic<bool>& overloaded() const { return overloaded_; }

 private:
  void on_deadline(int which) override;

  pipeline::EventLog& log_;
  std::uint64_t limit_;
  const std::function<std::uint64_t()> resident_;
  const std::function<void()> release_;
  net::Deadline look_;
  std::atomic<bool> overloaded_ = false;
};

// Bytes that this process may use: the least that one of its cgroups (v2, or v1's own) or the machine grants,
// and no more than `wanted`.
[[nodiscard]] std::uint64_t memory_limit(std::optional<std::uint64_t> wanted);
// Bytes of a cgroup's memory.max or memory.limit_in_bytes; nothing: no limit.
[[nodiscard]] std::optional<std::uint64_t> memory_of_cgroup(std::string_view line);
// Bytes of this process in memory now.
[[nodiscard]] std::uint64_t resident_memory();
// Has the allocator give back what nobody holds: without it memory once used would look used for ever.
void release_memory();

}  // namespace holdfast
