#include "replay/worker_store.h"

namespace holdfast::replay {

using pipeline::ReplayClaim;
using pipeline::ReplayResult;

void WorkerStore::claim(const ReplayClaim& claim, const Now& now, std::function<void(ReplayResult)> done) {
  if (mode_ != Mode::kAway) {
    const ReplayResult result = store_.claim(claim, now);
    if (mode_ == Mode::kCopied && result == ReplayResult::kFirst) noted_.push_back(entry_of(claim));
    return done(result);
  }
  const std::uint64_t number = next_++;
  waiting_.emplace(number, Waiting{claim, std::move(done)});
  control_.post([this, successor = successor_, number, claim] { successor->claim(*this, number, claim); });
}

void WorkerStore::note_claims() {
  mode_ = Mode::kCopied;
  noted_.clear();
}

std::vector<LiveEntry> WorkerStore::send_away(Successor& successor) {
  mode_ = Mode::kAway;
  successor_ = &successor;
  return std::exchange(noted_, {});
}

void WorkerStore::take_back() {
  mode_ = Mode::kHere;
  noted_.clear();
  for (auto& [number, waiting] : std::exchange(waiting_, {})) {
    waiting.done(store_.claim(waiting.claim, net::Worker::now()));
  }
}

void WorkerStore::answer(std::uint64_t number, ReplayResult result) {
  const auto at = waiting_.find(number);
  if (at == waiting_.end()) return;
  const auto done = std::move(at->second.done);
  waiting_.erase(at);
  done(result);
}

}  // namespace holdfast::replay
