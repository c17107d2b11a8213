// The key `require.claims` of a route (the contract's "Configuration"): a map whose keys are paths of claims
// (policy/claim_rule.h). Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

[[nodiscard]] Key<Require> claims();

}  // namespace holdfast::settings
