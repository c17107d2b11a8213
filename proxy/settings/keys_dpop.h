// The keys of `dpop`: what a proof has to be (the contract's "Configuration"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Keys<Dpop> dpop();

}  // namespace holdfast::settings
