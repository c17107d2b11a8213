// How many connections each listener may hold, so that all limits together fit into the file descriptors that
// the process may have. Start-up only; pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "settings/model.h"

namespace holdfast {

struct DescriptorBudget {
  std::vector<std::size_t> max_connections;  // of each listener
  bool lowered = false;                      // below the default, for want of descriptors
};

// A limit that was chosen is a promise: if it cannot be kept the start fails, since it would otherwise fail
// under load. A listener that has the default gets as much of what is left as there is.
[[nodiscard]] std::expected<DescriptorBudget, std::string> budget_descriptors(
    const settings::Settings& settings, std::size_t descriptors);

}  // namespace holdfast
