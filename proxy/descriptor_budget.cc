#include "descriptor_budget.h"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t kOurOwn = 128;  // logs, probes, issuers, listening sockets
constexpr std::size_t kLeast = 64;    // connections that a listener is worth opening for

bool has_default(const settings::Listener& listener) {
  return listener.limits.max_connections == settings::ListenerLimits{}.max_connections;
}

}  // namespace

std::expected<DescriptorBudget, std::string> budget_descriptors(const settings::Settings& settings,
                                                                std::size_t descriptors) {
  std::size_t promised = kOurOwn;
  std::size_t flexible = 0;
  for (const settings::Upstream& upstream : settings.upstreams) promised += upstream.max_connections;
  for (const settings::Listener& listener : settings.listeners) {
    if (has_default(listener)) {
      ++flexible;
    } else {
      promised += listener.limits.max_connections;
    }
  }
  if (descriptors < promised + flexible * kLeast) {
    return std::unexpected("the limits of listeners and upstreams need " +
                           std::to_string(promised + flexible * kLeast) +
                           " file descriptors, this process may have " + std::to_string(descriptors) +
                           ": raise `ulimit -n` or lower max_connections");
  }
  const std::size_t share = flexible == 0 ? 0 : (descriptors - promised) / flexible;
  DescriptorBudget budget;
  for (const settings::Listener& listener : settings.listeners) {
    const std::size_t wanted = listener.limits.max_connections;
    budget.max_connections.push_back(has_default(listener) ? std::min(wanted, share) : wanted);
    budget.lowered = budget.lowered || budget.max_connections.back() < wanted;
  }
  return budget;
}

}  // namespace holdfast
