// The keys of one entry of `routes` (the contract's "Configuration"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Value<RouteDraft> route();

}  // namespace holdfast::settings
