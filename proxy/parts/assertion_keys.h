// The keys of `identity.assertion`, read from their files. Start-up and reload only; any thread.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "pipeline/assertion_signer.h"
#include "settings/model.h"

namespace holdfast::parts {

// The error is a sentence that quotes no key.
[[nodiscard]] std::expected<std::shared_ptr<const pipeline::AssertionSigner>, std::string>
make_assertion_signer(const settings::Assertion& assertion);

}  // namespace holdfast::parts
