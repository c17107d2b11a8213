// A configuration as a page shows it: YAML again, without comments, each scalar as the file writes it, so
// that no `${...}` is ever replaced. Pure; any thread.
#pragma once

#include <string>

#include "settings/node.h"

namespace holdfast::settings {

[[nodiscard]] std::string shown(const Node& root);

}  // namespace holdfast::settings
