// One worker's way to the process's replay store, and the switch for the day when a successor takes over. A
// proof must not be accepted once by each of two processes, so there is one store that decides at any time:
//
//   kHere     claims are decided by this process's store
//   kCopied   likewise, and each entry made is noted, while the store is being copied to the successor
//   kAway     claims are sent to the successor and wait for its word
//
// Each worker changes over on its own thread, between two claims, so there is no moment at which a claim is
// decided here after the last noted entry has left. Worker's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/worker.h"
#include "pipeline/ports.h"
#include "replay/memory_store.h"

namespace holdfast::replay {

class WorkerStore;

// The successor as the stores see it; control thread only.
class Successor {
 public:
  // Decides there. WorkerStore::answer() comes on the store's worker, once.
  virtual void claim(WorkerStore& store, std::uint64_t number, const pipeline::ReplayClaim& claim) = 0;

 protected:
  ~Successor() = default;
};

class WorkerStore final : public pipeline::ReplayStore {
 public:
  // `control` is where the successor is spoken to.
  WorkerStore(MemoryStore& store, net::Worker& worker, net::Worker& control)
      : store_(store), worker_(worker), control_(control) {}
  WorkerStore(const WorkerStore&) = delete;
  WorkerStore& operator=(const WorkerStore&) = delete;

  void claim(const pipeline::ReplayClaim& claim, const Now& now,
             std::function<void(pipeline::ReplayResult)> done) override;

  // kHere -> kCopied.
  void note_claims();
  // -> kAway. What was noted since note_claims().
  [[nodiscard]] std::vector<LiveEntry> send_away(Successor& successor);
  // -> kHere, because the successor went before it was told to begin: what waits is decided here.
  void take_back();
  // The successor's word for claim `number`.
  void answer(std::uint64_t number, pipeline::ReplayResult result);

  [[nodiscard]] net::Worker& worker() { return worker_; }

 private:
  enum class Mode : std::uint8_t { kHere, kCopied, kAway };
  struct Waiting {
    pipeline::ReplayClaim claim;
    std::function<void(pipeline::ReplayResult)> done;
  };

  MemoryStore& store_;
  net::Worker& worker_;
  net::Worker& control_;
  Mode mode_ = Mode::kHere;
  Successor* successor_ = nullptr;
  std::vector<LiveEntry> noted_;
  std::uint64_t next_ = 0;
  std::unordered_map<std::uint64_t, Waiting> waiting_;
};

}  // namespace holdfast::replay
