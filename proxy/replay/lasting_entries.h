// How many entries are kept for longer than a proof that is dated as it should be. Where a nonce decides, iat
// may lie a day ahead (rule 11), and its entry is kept until then: a few clients with many keys could fill
// the store for a day, at a rate that nobody notices. So these have a share of the room, and who finds it
// used up is refused alone. Counted by the slot in which they die. Any thread, several at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

namespace holdfast::replay {

class LastingEntries {
 public:
  // One more that dies in `slot`; false where there are `most` at `now`, a slot too.
  [[nodiscard]] bool take(std::uint32_t slot, std::uint32_t now, std::size_t most) {
    const std::lock_guard lock(mutex_);
    while (!dying_.empty() && dying_.begin()->first <= now) {
      held_ -= dying_.begin()->second;
      dying_.erase(dying_.begin());
    }
    if (held_ >= most) return false;
    ++held_;
    ++dying_[slot];
    return true;
  }

  // One that was taken and not entered.
  void give_back(std::uint32_t slot) {
    const std::lock_guard lock(mutex_);
    const auto found = dying_.find(slot);
    if (found == dying_.end()) return;
    --held_;
    if (--found->second == 0) dying_.erase(found);
  }

 private:
  std::mutex mutex_;
  std::map<std::uint32_t, std::size_t> dying_;
  std::size_t held_ = 0;
};

}  // namespace holdfast::replay
