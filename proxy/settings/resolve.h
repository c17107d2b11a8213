// From the file's shape to the model's: the three-line shorthand written out, names made into indexes, the
// listener that stands for none, a route's nonce from `dpop.nonce.mode`. Pure.
#pragma once

#include "settings/draft.h"
#include "settings/report.h"

namespace holdfast::settings {

// Dangling and ambiguous names go to the report; the Settings are usable only if it stays clean.
[[nodiscard]] Settings resolve(Draft draft, Report& report);

}  // namespace holdfast::settings
