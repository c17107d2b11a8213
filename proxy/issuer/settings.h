// What the issuer folder needs to know of one issuer; assembly fills it from the configuration.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "issuer/client_credentials.h"

namespace holdfast::issuer {

// RFC 7662: tokens of this issuer are asked about.
struct IntrospectionSettings {
  std::string url;  // empty: found by discovery
  std::shared_ptr<const ClientCredentials> credentials;
  std::chrono::milliseconds cache{std::chrono::seconds(30)};
};

struct IssuerSettings {
  std::string name;           // of the configuration, for logs and probes
  std::string url;            // the exact `iss`
  std::string discovery_url;  // empty: found from `url`
  std::string jwks_url;       // empty: found by discovery
  bool allow_http = false;    // plain http outside loopback
  std::string ca_file;        // PEM; empty: the system's trust store
  std::optional<IntrospectionSettings> introspection = {};
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  std::chrono::milliseconds min_refetch_interval{std::chrono::seconds(10)};
  std::chrono::milliseconds max_stale{std::chrono::hours(24)};
  std::chrono::milliseconds fetch_timeout{std::chrono::seconds(5)};  // of one request, connecting included
};

}  // namespace holdfast::issuer
