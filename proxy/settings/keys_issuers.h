// The keys of one entry of `issuers` (the contract's "Configuration"). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Value<IssuerDraft> issuer();

}  // namespace holdfast::settings
