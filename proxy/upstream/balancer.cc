#include "upstream/balancer.h"

#include <cstdint>

namespace holdfast::upstream {
namespace {

bool was_tried(const std::vector<bool>& tried, std::size_t server) {
  return server < tried.size() && tried[server];
}

}  // namespace

Balancer::Balancer(const Config& config, const UpstreamState& state, std::size_t start)
    : config_(config),
      state_(state),
      next_(start % config.servers.size()),
      current_(config.servers.size(), 0) {
  for (std::size_t i = 0; i < next_; ++i) (void)round_robin({});
}

std::optional<std::size_t> Balancer::pick(const std::vector<bool>& tried) {
  return config_.balance == Balance::kRoundRobin ? round_robin(tried) : least_request(tried);
}

std::optional<std::size_t> Balancer::round_robin(const std::vector<bool>& tried) {
  std::optional<std::size_t> best;
  long long total = 0;
  for (std::size_t i = 0; i < current_.size(); ++i) {
    if (was_tried(tried, i)) continue;
    current_[i] += config_.servers[i].weight;
    total += config_.servers[i].weight;
    if (!best || current_[i] > current_[*best]) best = i;
  }
  if (best) current_[*best] -= total;
  return best;
}

std::optional<std::size_t> Balancer::least_request(const std::vector<bool>& tried) {
  std::optional<std::size_t> best;
  std::uint64_t best_load = 0;
  const std::size_t count = config_.servers.size();
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t i = (next_ + step) % count;
    if (was_tried(tried, i)) continue;
    const std::uint64_t load = std::uint64_t{state_.servers[i].in_flight.load(std::memory_order_relaxed)} + 1;
    // load / weight < best_load / best_weight, without dividing
    if (!best || load * config_.servers[*best].weight < best_load * config_.servers[i].weight) {
      best = i;
      best_load = load;
    }
  }
  if (best) next_ = (*best + 1) % count;
  return best;
}

}  // namespace holdfast::upstream
