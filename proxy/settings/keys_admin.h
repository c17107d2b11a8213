// The key `admin` (the contract's "Configuration" and "Listeners of our own"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Key<Draft> admin();

}  // namespace holdfast::settings
