// What the issuer folder needs to know of one issuer; assembly fills it from the configuration.
#pragma once

#include <chrono>
#include <string>

namespace holdfast::issuer {

struct IssuerSettings {
  std::string name;           // of the configuration, for logs and probes
  std::string url;            // the exact `iss`
  std::string discovery_url;  // empty: found from `url`
  std::string jwks_url;       // empty: found by discovery; set: discovery is not asked
  bool allow_http = false;    // plain http outside loopback
  std::string ca_file;        // PEM; empty: the system's trust store
  std::chrono::milliseconds refresh{std::chrono::minutes(5)};
  std::chrono::milliseconds min_refetch_interval{std::chrono::seconds(10)};
  std::chrono::milliseconds max_stale{std::chrono::hours(24)};
  std::chrono::milliseconds fetch_timeout{std::chrono::seconds(5)};  // of one request, connecting included
};

}  // namespace holdfast::issuer
