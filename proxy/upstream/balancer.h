// Which server takes the next request: smooth weighted round robin, or the least requests in flight for its
// weight, counted over all workers. One worker's thread.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "upstream/config.h"
#include "upstream/shared_state.h"

namespace holdfast::upstream {

class Balancer {
 public:
  // `start` spreads the first choices of several workers.
  Balancer(const Config& config, const UpstreamState& state, std::size_t start);

  // `tried` servers (empty: none) are left out; nullopt: all of them were.
  [[nodiscard]] std::optional<std::size_t> pick(const std::vector<bool>& tried);

 private:
  [[nodiscard]] std::optional<std::size_t> round_robin(const std::vector<bool>& tried);
  [[nodiscard]] std::optional<std::size_t> least_request(const std::vector<bool>& tried);

  const Config& config_;
  const UpstreamState& state_;
  std::size_t next_;                // where least_request begins to look, so that equals take turns
  std::vector<long long> current_;  // round robin: what each server is owed
};

}  // namespace holdfast::upstream
