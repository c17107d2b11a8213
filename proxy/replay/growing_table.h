// A hash table by 128-bit id that grows one bucket at a time (linear hashing): no insertion ever pays for
// moving all others, so the store has no long pause while it grows, and no memory before it is needed. Nodes
// sit in chunks that never move and are named by 32-bit numbers. Not thread-safe: one shard's mutex guards
// it.
//
// Node has the members `Id id` and `std::uint32_t next`, which are the table's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace holdfast::replay {

// The first 128 bits of a SHA-256. Where two differ only later, the second is taken for a replay, so a
// collision can only ever refuse; to refuse somebody else's proof with one is a second preimage.
using Id = std::array<std::uint64_t, 2>;

inline constexpr std::uint32_t kNone = 0xffffffff;

// A keyed hash: without the seed nobody can choose ids that share a bucket.
[[nodiscard]] inline std::uint64_t hash_id(const Id& id, const std::array<std::uint64_t, 2>& seed) {
  __extension__ using Wide = unsigned __int128;
  const auto fold = [](std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  return fold(fold(id[0] ^ seed[0], id[1] ^ seed[1]) ^ seed[1], seed[0] | 1);
}

template <typename Node>
class GrowingTable {
 public:
  explicit GrowingTable(const std::array<std::uint64_t, 2>& seed) : seed_(seed) {}

  [[nodiscard]] Node& operator[](std::uint32_t index) { return nodes_[index / kChunk][index % kChunk]; }
  [[nodiscard]] std::size_t size() const { return size_; }

  [[nodiscard]] std::uint32_t find(const Id& id) {
    if (buckets_ == 0) return kNone;
    std::uint32_t at = bucket(bucket_of(id));
    while (at != kNone && (*this)[at].id != id) at = (*this)[at].next;
    return at;
  }

  // `id` is not in the table.
  std::uint32_t insert(const Id& id) {
    const std::uint32_t index = take_node();
    if (size_ >= buckets_) add_bucket();
    std::uint32_t& head = bucket(bucket_of(id));
    Node& node = (*this)[index];
    node.id = id;
    node.next = head;
    head = index;
    ++size_;
    return index;
  }

  void erase(std::uint32_t index) {
    std::uint32_t* link = &bucket(bucket_of((*this)[index].id));
    while (*link != index) link = &(*this)[*link].next;
    *link = (*this)[index].next;
    (*this)[index].next = free_;
    free_ = index;
    --size_;
  }

 private:
  static constexpr std::size_t kChunk = 1024;

  [[nodiscard]] std::uint32_t& bucket(std::size_t number) { return heads_[number / kChunk][number % kChunk]; }

  // `round_` is the power of two at which this round of splitting began; the buckets before
  // buckets_ - round_ have been split already and are told apart by one bit more.
  [[nodiscard]] std::size_t bucket_of(const Id& id) const {
    const std::uint64_t hash = hash_id(id, seed_);
    const std::size_t wide = hash & (2 * round_ - 1);
    return wide < buckets_ ? wide : hash & (round_ - 1);
  }

  void add_bucket() {
    if (buckets_ == heads_.size() * kChunk) {
      heads_.push_back(std::make_unique_for_overwrite<std::uint32_t[]>(kChunk));
    }
    bucket(buckets_) = kNone;
    if (buckets_ == 0) {
      buckets_ = 1;
      return;
    }
    if (buckets_ == 2 * round_) round_ *= 2;
    const std::size_t split = buckets_ - round_;
    std::uint32_t at = bucket(split);
    bucket(split) = kNone;
    ++buckets_;
    while (at != kNone) {
      Node& node = (*this)[at];
      const std::uint32_t next = node.next;
      std::uint32_t& head = bucket(bucket_of(node.id));
      node.next = head;
      head = at;
      at = next;
    }
  }

  std::uint32_t take_node() {
    if (free_ != kNone) {
      const std::uint32_t index = free_;
      free_ = (*this)[index].next;
      return index;
    }
    if (used_ == nodes_.size() * kChunk) nodes_.push_back(std::make_unique_for_overwrite<Node[]>(kChunk));
    return static_cast<std::uint32_t>(used_++);
  }

  const std::array<std::uint64_t, 2> seed_;
  std::vector<std::unique_ptr<Node[]>> nodes_;
  std::vector<std::unique_ptr<std::uint32_t[]>> heads_;
  std::size_t buckets_ = 0;
  std::size_t round_ = 1;
  std::size_t size_ = 0;
  std::size_t used_ = 0;
  std::uint32_t free_ = kNone;
};

}  // namespace holdfast::replay
