// What issuers said about tokens, each answer until its own time. Bounded in number and in bytes: what was
// not used for longest makes room. A tree, not a hash table: whoever may send tokens chooses their digests,
// and a tree has no chains to flood. Pure, with the time as an argument; one thread at a time.
#pragma once

#include <compare>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <utility>

#include "base/time.h"
#include "crypto/digest.h"
#include "pipeline/ports.h"

namespace holdfast::issuer {

// The same token may be sent to routes of different issuers, and each is asked for itself.
struct IntrospectionKey {
  std::size_t issuer = 0;
  crypto::Digest256 digest{};
  auto operator<=>(const IntrospectionKey&) const = default;
};

struct IntrospectionAnswer {
  pipeline::Introspected result;
  SteadyTime until;       // it counts before that; the epoch: it is not kept
  std::size_t bytes = 0;  // about what it holds
};
using IntrospectionAnswerPtr = std::shared_ptr<const IntrospectionAnswer>;

class IntrospectionCache {
 public:
  IntrospectionCache(std::size_t max_entries, std::size_t max_bytes)
      : max_entries_(max_entries), max_bytes_(max_bytes) {}

  // nullptr where there is none, or none any more.
  [[nodiscard]] IntrospectionAnswerPtr find(const IntrospectionKey& key, SteadyTime now) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    if (now >= found->second->second->until) {
      drop(found);
      return nullptr;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->second;
  }

  // Enters an answer, or replaces the one under the same key.
  void insert(const IntrospectionKey& key, IntrospectionAnswerPtr answer) {
    if (const auto found = places_.find(key); found != places_.end()) drop(found);
    if (answer->bytes > max_bytes_) return;
    while (!entries_.empty() && (entries_.size() >= max_entries_ || bytes_ + answer->bytes > max_bytes_)) {
      drop(places_.find(entries_.back().first));
    }
    bytes_ += answer->bytes;
    entries_.emplace_front(key, std::move(answer));
    places_.emplace(key, entries_.begin());
  }

  void clear() {
    places_.clear();
    entries_.clear();
    bytes_ = 0;
  }

  [[nodiscard]] std::size_t size() const { return entries_.size(); }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  using Entries = std::list<std::pair<IntrospectionKey, IntrospectionAnswerPtr>>;
  using Places = std::map<IntrospectionKey, Entries::iterator>;

  void drop(Places::iterator place) {
    bytes_ -= place->second->second->bytes;
    entries_.erase(place->second);
    places_.erase(place);
  }

  std::size_t max_entries_;
  std::size_t max_bytes_;
  std::size_t bytes_ = 0;
  Entries entries_;  // the one used last in front
  Places places_;
};

}  // namespace holdfast::issuer
