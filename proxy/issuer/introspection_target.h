// Where and how an issuer is asked about tokens. A snapshot, made whenever one of that changes, and the
// making of a request from it: the assertion of private_key_jwt is signed here, anew for each request.
// Control thread only.
#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/time.h"
#include "issuer/client_credentials.h"
#include "issuer/fetch.h"
#include "issuer/location.h"
#include "net/tls_client.h"

namespace holdfast::issuer {

struct IntrospectionTarget {
  std::string name;  // of the configuration, for logs
  std::string iss;
  Location location;
  std::shared_ptr<const net::TlsClientContext> tls;  // not null where location.tls
  std::shared_ptr<const ClientCredentials> credentials;
  std::chrono::milliseconds cache;
  std::chrono::milliseconds timeout;
};

// The error is a sentence for the operator.
[[nodiscard]] std::expected<FetchRequest, std::string> introspection_request(
    const IntrospectionTarget& target, std::string_view token, UnixTime now);

}  // namespace holdfast::issuer
