// A bounded cache of facts that verifying once has established: verified access tokens, parsed proof headers.
// It never holds a verdict (verification.md, 23): what depends on time, route or request is judged anew for
// every request.
//
// Set-associative: a key may stand in one of kWays places only, and the one not used for longest makes room.
// So the cost of a lookup has a fixed bound however the keys are chosen (no chains to flood), and the table
// never grows past its capacity. Where facts differ in size their bytes have a budget, too: who may have his
// tokens made as long as he likes must not be able to fill the memory with them. One worker's; not
// thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::pipeline {

template <typename Fact>
class FactCache {
 public:
  using FactPtr = std::shared_ptr<const Fact>;

  // What has a longer key is not kept: the holder of one token may pad a proof's header to 6 KiB, anew in
  // every proof, and a table full of those would cost ten times what the capacity was chosen for.
  static constexpr std::size_t kLongestKey = 2048;

  // `capacity` is rounded up to a power of two, at least kWays. `budget`: of all facts' bytes together.
  explicit FactCache(std::size_t capacity, std::size_t budget = std::numeric_limits<std::size_t>::max())
      : budget_(budget) {
    std::size_t sets = 1;
    while (sets * kWays < capacity) sets *= 2;
    sets_.resize(sets);
  }

  // nullptr where the key is not there.
  [[nodiscard]] FactPtr find(std::string_view key) {
    const std::size_t hash = std::hash<std::string_view>{}(key);
    Set& set = set_of(hash);
    for (Entry& entry : set) {
      if (entry.fact != nullptr && entry.hash == hash && entry.key == key) {
        entry.used = ++clock_;
        return entry.fact;
      }
    }
    return nullptr;
  }

  // Enters a fact of `bytes`, or replaces the one under the same key. One that would take more than a share
  // of the budget is not kept.
  void insert(std::string_view key, FactPtr fact, std::size_t bytes = 0) {
    if (key.size() > kLongestKey) return;
    if (bytes > budget_ / kWays) return erase(key);
    const std::size_t hash = std::hash<std::string_view>{}(key);
    Set& set = set_of(hash);
    Entry* place = &set[0];
    for (Entry& entry : set) {
      if (entry.fact != nullptr && entry.hash == hash && entry.key == key) {
        place = &entry;
        break;
      }
      if (entry.used < place->used) place = &entry;
    }
    drop(*place);
    while (bytes > budget_ - bytes_) make_room();
    place->hash = hash;
    place->used = ++clock_;
    place->bytes = bytes;
    place->key.assign(key);
    place->fact = std::move(fact);
    bytes_ += bytes;
  }

  void erase(std::string_view key) {
    const std::size_t hash = std::hash<std::string_view>{}(key);
    for (Entry& entry : set_of(hash)) {
      if (entry.fact != nullptr && entry.hash == hash && entry.key == key) drop(entry);
    }
  }

  void clear() {
    for (Set& set : sets_) set = Set{};
    bytes_ = 0;
  }

  // Of the facts that are kept.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

  [[nodiscard]] std::size_t capacity() const { return sets_.size() * kWays; }

 private:
  static constexpr std::size_t kWays = 8;

  struct Entry {
    std::size_t hash = 0;
    std::uint64_t used = 0;  // 0: never, so free places are taken first
    std::size_t bytes = 0;
    std::string key;
    FactPtr fact;
  };
  using Set = std::array<Entry, kWays>;

  // The high bits choose the set: std::hash of a digest may well be its first bytes.
  Set& set_of(std::size_t hash) { return sets_[((hash * 0x9E3779B97F4A7C15ULL) >> 32) & (sets_.size() - 1)]; }

  void drop(Entry& entry) {
    bytes_ -= entry.bytes;
    entry = Entry{};
  }

  // Set by set, the fact of each that was not used for longest goes.
  void make_room() {
    Set& set = sets_[hand_];
    hand_ = (hand_ + 1) & (sets_.size() - 1);
    Entry* oldest = nullptr;
    for (Entry& entry : set) {
      if (entry.fact != nullptr && (oldest == nullptr || entry.used < oldest->used)) oldest = &entry;
    }
    if (oldest != nullptr) drop(*oldest);
  }

  std::vector<Set> sets_;
  std::size_t budget_;
  std::size_t bytes_ = 0;
  std::size_t hand_ = 0;
  std::uint64_t clock_ = 0;
};

}  // namespace holdfast::pipeline
