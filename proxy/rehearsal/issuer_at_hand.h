// One issuer asked once, by the code that asks it for a server: for commands that judge a request without
// one. Blocks, for 16 seconds at most and as long as the system's resolver takes for a name. The program's
// first thread.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "issuer/settings.h"
#include "pipeline/ports.h"

namespace holdfast::rehearsal {

// The error says what was tried.
[[nodiscard]] std::expected<std::shared_ptr<const jose::KeySet>, std::string> fetch_keys(
    const issuer::IssuerSettings& issuer);

// introspection_unavailable where the issuer could not be asked.
[[nodiscard]] pipeline::Introspected introspect_once(const issuer::IssuerSettings& issuer,
                                                     const pipeline::IntrospectionQuestion& question);

}  // namespace holdfast::rehearsal
