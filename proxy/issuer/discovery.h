// Discovery as a decision: where an issuer's metadata may be (OpenID Connect Discovery 4, RFC 8414 3.1) and
// what it says about the keys. Fetching is keeper.h's. Pure; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "issuer/settings.h"

namespace holdfast::issuer {

// What to ask, in order, until one answers: `discovery_url` alone where it is set; else OpenID Connect's
// place, appended to `url`, and RFC 8414's, inserted between host and path.
[[nodiscard]] std::vector<std::string> metadata_urls(const IssuerSettings& settings);

// The metadata's jwks_uri, held to the same rules as `url`. Its `issuer` must equal `url` byte for byte (RFC
// 8414 3.3): else a hostile issuer could name keys for another's tokens. The error is a sentence.
[[nodiscard]] std::expected<std::string, std::string> jwks_uri_of(std::string_view metadata,
                                                                  const IssuerSettings& settings);

}  // namespace holdfast::issuer
