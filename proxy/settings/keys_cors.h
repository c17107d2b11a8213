// The keys of `cors`, a route's and the file's (the contract's "CORS"). Immutable; any thread.
#pragma once

#include <optional>

#include "settings/model.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Value<std::optional<Cors>> cors();

}  // namespace holdfast::settings
