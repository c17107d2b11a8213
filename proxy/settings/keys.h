// The one description of the configuration: every key of the contract, what its value may be, and which of
// them belong to features that do not exist yet. A key that is added here also takes a line about itself
// (.about), a bad value in tests/unit/settings/refused.txt, a place in config/reference.yaml, and the schema
// printed anew (`holdfast schema > config/holdfast.schema.json`); tests hold all four. Immutable; any thread.
#pragma once

#include "settings/draft.h"
#include "settings/shape.h"

namespace holdfast::settings {

// Of the whole file; the keys of a section stand beneath it.
[[nodiscard]] const Keys<Draft>& file_keys();

// JOSE names that a proof or a token may be signed with (the contract's `dpop.algorithms`).
[[nodiscard]] const std::vector<std::string>& known_algorithms();

}  // namespace holdfast::settings
