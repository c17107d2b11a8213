#include "upstream/shared_state.h"

#include "net/worker.h"
#include "upstream/pools.h"

namespace holdfast::upstream {

bool UpstreamState::add_below(std::atomic<std::uint32_t>& count, std::uint32_t limit) {
  std::uint32_t seen = count.load(std::memory_order_relaxed);
  while (seen < limit) {
    if (count.compare_exchange_weak(seen, seen + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

SharedState::SharedState(const std::vector<Config>& configs) {
  for (const Config& config : configs) add(config);
}

std::size_t SharedState::add(const Config& config) {
  const std::lock_guard lock(mutex_);
  upstreams_.push_back(std::make_unique<UpstreamState>(config.servers.size()));
  return upstreams_.size() - 1;
}

UpstreamState& SharedState::upstream(std::size_t number) {
  const std::lock_guard lock(mutex_);
  return *upstreams_[number];
}

void SharedState::enlist(net::Worker& worker, Pools& pools, const std::shared_ptr<void>& alive) {
  const std::lock_guard lock(mutex_);
  members_.push_back({&worker, &pools, alive});
}

void SharedState::strike(const Pools& pools) {
  const std::lock_guard lock(mutex_);
  std::erase_if(members_, [&pools](const Member& member) { return member.pools == &pools; });
}

void SharedState::wake_all(std::size_t upstream) {
  const std::lock_guard lock(mutex_);
  for (const Member& member : members_) {
    // Looked at on the worker's own thread, where the pools end too.
    member.worker->post([pools = member.pools, alive = member.alive, upstream] {
      if (!alive.expired()) pools->look_again(upstream);
    });
  }
}

}  // namespace holdfast::upstream
