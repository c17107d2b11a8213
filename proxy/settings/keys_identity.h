// The keys of `identity`: what the backend is told (the contract's "Configuration"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Key<Draft> identity();

}  // namespace holdfast::settings
