// The keys of one entry of `upstreams` (the contract's "Configuration"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Value<Upstream> upstream();

}  // namespace holdfast::settings
