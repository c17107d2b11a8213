// The replay store of one process (RFC 9449 11.1): one atomic claim of a proof's id, kept until it can no
// longer be accepted. Bounded, and it never forgets a live entry: a store that evicts under load lets an
// attacker flood it and then replay. All workers share one; any thread may call anything here.
//
// Layout: shards by the proof key's thumbprint, a short mutex each, so that a key's entries meet in one shard
// and its share is counted exactly. The capacity is one atomic count of the process: a shard grows as far as
// that count allows, so no shard is full before the store is. Entries expire by slots of one second, rounded
// up, on the monotonic clock.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/time.h"
#include "pipeline/ports.h"
#include "replay/growing_table.h"
#include "replay/lasting_entries.h"

namespace holdfast::replay {

struct MemoryStoreSettings {
  std::size_t capacity = 4'000'000;
  std::size_t per_key = 400'000;  // what one key may hold, in entries; at least 1
  bool cold_start_fresh = true;   // refuse proofs issued before the store was born
};

// An entry on its way to another process.
struct LiveEntry {
  Id id;
  Id key;
  std::chrono::milliseconds keep;  // from now on
};

[[nodiscard]] LiveEntry entry_of(const pipeline::ReplayClaim& claim);

class MemoryStore final : public pipeline::ReplayStore {
 public:
  // `seed` is random: it keys the hash, so that nobody can choose ids and keys that meet in one bucket.
  MemoryStore(const MemoryStoreSettings& settings, const Now& born, std::array<std::uint64_t, 2> seed);
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // Calls `done` before it returns.
  void claim(const pipeline::ReplayClaim& claim, const Now& now,
             std::function<void(pipeline::ReplayResult)> done) override;
  [[nodiscard]] pipeline::ReplayResult claim(const pipeline::ReplayClaim& claim, const Now& now);

  // How long proofs are kept that are dated as they should be. Those that are kept for longer take a quarter
  // of the room at most (lasting_entries.h). Any thread; before it is called nothing is too long.
  void expect(std::chrono::milliseconds keep) { expected_.store(keep, std::memory_order_relaxed); }

  // Frees what has expired, in short steps. Claims do that too, a little at a time; called every second it
  // keeps the burst after a quiet hour as quick as any other.
  void expire(SteadyTime now);

  // A copy of what lives in shard `shard` (below kShards). Claims made meanwhile may be in it or not.
  void copy(std::size_t shard, SteadyTime now, std::vector<LiveEntry>& into) const;
  // Takes over another process's entry. What was promised is kept, so neither the capacity nor a key's share
  // counts here; new claims find them used up.
  void restore(const LiveEntry& entry, SteadyTime now);
  static constexpr std::size_t kShards = 64;

  // Entries held, the expired ones not freed yet included.
  [[nodiscard]] std::size_t entries() const { return entries_.load(std::memory_order_relaxed); }

 private:
  struct Shard;

  [[nodiscard]] std::uint32_t last_slot(SteadyTime now, std::chrono::milliseconds keep) const;
  [[nodiscard]] bool before_birth(UnixTime issued, const Now& now) const;
  [[nodiscard]] bool take_room();
  bool free_elsewhere(const Shard& own, std::uint32_t slot);
  [[nodiscard]] bool is_lasting(std::chrono::milliseconds keep) const {
    return keep > expected_.load(std::memory_order_relaxed);
  }

  const MemoryStoreSettings settings_;
  const Now born_;
  const std::array<std::uint64_t, 2> seed_;
  std::atomic<std::size_t> entries_{0};
  std::atomic<std::chrono::milliseconds> expected_{std::chrono::milliseconds::max()};
  LastingEntries lasting_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace holdfast::replay
