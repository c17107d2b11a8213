// The keys of one entry of `listeners` (the contract's "Configuration"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Value<ListenerDraft> listener();

}  // namespace holdfast::settings
