#include "replay/memory_store.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <mutex>

#include "replay/growing_table.h"

namespace holdfast::replay {
namespace {

using pipeline::ReplayClaim;
using pipeline::ReplayResult;

// Expired entries that a claim frees on its way: more than the one it adds, so a backlog always shrinks.
constexpr std::size_t kSweep = 4;
// Entries freed under one lock by expire(): some 50 us.
constexpr std::size_t kStep = 512;
constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();
constexpr std::chrono::milliseconds kSlot{1000};
// What is kept for unusually long takes one of so many parts of the room.
constexpr std::size_t kLastingPart = 4;
// Far beyond any window; keeps slot arithmetic in range whatever a caller asks for.
constexpr std::chrono::hours kLongest{24 * 365};

struct Entry {
  Id id;
  std::uint32_t next;
  std::uint32_t next_in_slot;
  std::uint32_t key;   // in Shard::keys
  std::uint32_t slot;  // the first one in which the entry is dead
};

struct Key {
  Id id;
  std::uint32_t next;
  std::uint32_t held;
};

Id id_from(const std::array<std::uint8_t, 32>& digest) {
  Id id;
  std::memcpy(id.data(), digest.data(), sizeof id);
  return id;
}

std::uint32_t slot_at(SteadyTime time, SteadyTime born) {
  return time <= born ? 0 : static_cast<std::uint32_t>((time - born) / kSlot);
}

}  // namespace

struct MemoryStore::Shard {
  explicit Shard(const std::array<std::uint64_t, 2>& seed) : entries(seed), keys(seed) {}

  std::mutex mutex;
  GrowingTable<Entry> entries;
  GrowingTable<Key> keys;
  std::map<std::uint32_t, std::uint32_t> slots;  // slot -> its first entry

  [[nodiscard]] bool has_expired(std::uint32_t slot) const {
    return !slots.empty() && slots.begin()->first <= slot;
  }

  // Frees one expired entry, the oldest slot's; has_expired() holds.
  void free_one() {
    const auto oldest = slots.begin();
    const std::uint32_t index = oldest->second;
    const Entry& entry = entries[index];
    if (entry.next_in_slot == kNone) {
      slots.erase(oldest);
    } else {
      oldest->second = entry.next_in_slot;
    }
    if (--keys[entry.key].held == 0) keys.erase(entry.key);
    entries.erase(index);
  }

  // Returns how many were freed.
  std::size_t sweep(std::uint32_t slot, std::size_t at_most) {
    std::size_t freed = 0;
    for (; freed < at_most && has_expired(slot); ++freed) free_one();
    return freed;
  }

  void add(const Id& id, const Id& key_id, std::uint32_t slot) {
    std::uint32_t key = keys.find(key_id);
    if (key == kNone) {
      key = keys.insert(key_id);
      keys[key].held = 0;
    }
    ++keys[key].held;
    const std::uint32_t index = entries.insert(id);
    const auto [place, first] = slots.try_emplace(slot, kNone);
    Entry& entry = entries[index];
    entry.key = key;
    entry.slot = slot;
    entry.next_in_slot = place->second;
    place->second = index;
  }
};

MemoryStore::MemoryStore(const MemoryStoreSettings& settings, const Now& born,
                         std::array<std::uint64_t, 2> seed)
    : settings_(settings), born_(born), seed_(seed) {
  shards_.reserve(kShards);
  for (std::size_t i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>(seed));
}

MemoryStore::~MemoryStore() = default;

// The store's age is measured by the monotonic clock and taken from the wall clock of now. A wall clock that
// was put right after the start, as on a machine that boots without one, thus neither opens a gap through
// which older proofs pass nor refuses everybody until it has caught up.
bool MemoryStore::before_birth(UnixTime issued, const Now& now) const {
  if (!settings_.cold_start_fresh) return false;
  const auto age = std::chrono::duration_cast<Millis>(now.steady - born_.steady);
  return issued < now.wall - age;
}

// Never counts past the capacity, not even for a moment: a passing excess would refuse another claim that has
// room.
bool MemoryStore::take_room() {
  std::size_t held = entries_.load(std::memory_order_relaxed);
  while (held < settings_.capacity) {
    if (entries_.compare_exchange_weak(held, held + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

bool MemoryStore::free_elsewhere(const Shard& own, std::uint32_t slot) {
  for (const auto& shard : shards_) {
    if (shard.get() == &own) continue;
    const std::lock_guard lock(shard->mutex);
    const std::size_t freed = shard->sweep(slot, kStep);
    entries_.fetch_sub(freed, std::memory_order_relaxed);
    if (freed > 0) return true;
  }
  return false;
}

// Rounded up: an entry may outlive its proof, never the reverse.
std::uint32_t MemoryStore::last_slot(SteadyTime now, std::chrono::milliseconds keep) const {
  const auto kept = std::clamp<Millis>(keep, Millis(0), kLongest);
  return slot_at(now + kept + kSlot - std::chrono::nanoseconds(1), born_.steady);
}

ReplayResult MemoryStore::claim(const ReplayClaim& claim, const Now& now) {
  if (before_birth(claim.issued, now)) return ReplayResult::kBeforeBirth;

  const Id id = id_from(claim.id);
  const Id key_id = id_from(claim.key);
  const std::uint32_t slot = slot_at(now.steady, born_.steady);
  const std::uint32_t until = last_slot(now.steady, claim.keep);
  Shard& shard = *shards_[(hash_id(key_id, seed_) >> 32) % kShards];

  while (true) {
    {
      const std::lock_guard lock(shard.mutex);
      std::size_t freed = shard.sweep(slot, kSweep);
      // What is found dead (not yet swept) must not refuse anybody: sweep on until it is gone.
      std::uint32_t found = shard.entries.find(id);
      while (found != kNone && shard.entries[found].slot <= slot) {
        freed += shard.sweep(slot, kSweep);
        found = shard.entries.find(id);
      }
      const auto held_by_key = [&] {
        const std::uint32_t key = shard.keys.find(key_id);
        return key == kNone ? 0 : shard.keys[key].held;
      };
      while (held_by_key() >= settings_.per_key && shard.has_expired(slot)) {
        freed += shard.sweep(slot, kSweep);
      }
      entries_.fetch_sub(freed, std::memory_order_relaxed);

      if (found != kNone) return ReplayResult::kReplayed;
      if (held_by_key() >= settings_.per_key) return ReplayResult::kKeyQuota;
      const std::uint32_t dead = std::max(until, slot + 1);
      const bool lasting = is_lasting(claim.keep);
      if (lasting && !lasting_.take(dead, slot, settings_.capacity / kLastingPart))
        return ReplayResult::kFull;
      if (take_room()) {
        shard.add(id, key_id, dead);
        return ReplayResult::kFirst;
      }
      if (lasting) lasting_.give_back(dead);
      // Full as counted: what has expired here makes room first.
      const std::size_t more = shard.sweep(slot, kStep);
      entries_.fetch_sub(more, std::memory_order_relaxed);
      if (more > 0) continue;
    }
    // One mutex at a time, so that no two claims can wait for each other.
    if (!free_elsewhere(shard, slot)) return ReplayResult::kFull;
  }
}

void MemoryStore::claim(const ReplayClaim& claim, const Now& now, std::function<void(ReplayResult)> done) {
  done(this->claim(claim, now));
}

LiveEntry entry_of(const pipeline::ReplayClaim& claim) {
  return {id_from(claim.id), id_from(claim.key), claim.keep};
}

void MemoryStore::copy(std::size_t shard, SteadyTime now, std::vector<LiveEntry>& into) const {
  Shard& from = *shards_[shard];
  const std::lock_guard lock(from.mutex);
  for (const auto& [slot, first] : from.slots) {
    const SteadyTime dead = born_.steady + slot * kSlot;
    if (dead <= now) continue;
    const auto keep = std::chrono::ceil<Millis>(dead - now);
    for (std::uint32_t at = first; at != kNone; at = from.entries[at].next_in_slot) {
      const Entry& entry = from.entries[at];
      into.push_back({entry.id, from.keys[entry.key].id, keep});
    }
  }
}

void MemoryStore::restore(const LiveEntry& entry, SteadyTime now) {
  Shard& shard = *shards_[(hash_id(entry.key, seed_) >> 32) % kShards];
  const std::lock_guard lock(shard.mutex);
  if (shard.entries.find(entry.id) != kNone) return;
  const std::uint32_t slot = slot_at(now, born_.steady);
  const std::uint32_t dead = std::max(last_slot(now, entry.keep), slot + 1);
  shard.add(entry.id, entry.key, dead);
  entries_.fetch_add(1, std::memory_order_relaxed);
  if (is_lasting(entry.keep)) (void)lasting_.take(dead, slot, kNoLimit);
}

void MemoryStore::expire(SteadyTime now) {
  const std::uint32_t slot = slot_at(now, born_.steady);
  for (const auto& shard : shards_) {
    std::size_t freed = kStep;
    while (freed == kStep) {
      const std::lock_guard lock(shard->mutex);
      freed = shard->sweep(slot, kStep);
      entries_.fetch_sub(freed, std::memory_order_relaxed);
    }
  }
}

}  // namespace holdfast::replay
