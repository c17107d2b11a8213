// What `holdfast check --online` adds: whether this machine reaches what a configuration names. Issuers' keys
// are found and fetched by the Keeper that serves them, connections to servers are made by net/ as the pools
// make theirs, TLS included; nothing is sent on those. All at once, within a bounded time, except that a
// name's lookup takes as long as the system's resolver lets it. The program's first thread, before anything
// else runs.
#pragma once

#include <vector>

#include "cli/check.h"
#include "settings/model.h"

namespace holdfast {

[[nodiscard]] std::vector<cli::Reached> reach(const settings::Settings& settings);

}  // namespace holdfast
