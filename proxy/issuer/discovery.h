// Discovery as a decision: where an issuer's metadata may be (OpenID Connect Discovery 4, RFC 8414 3.1) and
// what it says about the keys and about introspection. Fetching is keeper.h's. Pure; any thread.
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

// Whether anything that is needed has to be looked up there.
[[nodiscard]] bool needs_discovery(const IssuerSettings& settings);

// Where things are. Each URL is the settings' where they name it, and else the metadata's, held to the same
// rules as `url`.
struct Endpoints {
  std::string jwks_uri;       // empty: the issuer has no keys; only where its tokens may be opaque
  std::string introspection;  // empty: it is not asked about tokens
};

// What the settings say by themselves, where needs_discovery() is false.
[[nodiscard]] Endpoints configured_endpoints(const IssuerSettings& settings);

// With the metadata. Its `issuer` must equal `url` byte for byte (RFC 8414 3.3): else a hostile issuer could
// name keys for another's tokens. The error is a sentence.
[[nodiscard]] std::expected<Endpoints, std::string> discovered_endpoints(std::string_view metadata,
                                                                         const IssuerSettings& settings);

}  // namespace holdfast::issuer
