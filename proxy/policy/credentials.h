// The evidence in a request's fields (verification.md 1; RFC 9449 4.3 check 1, 7.1): exactly one
// Authorization and one DPoP field, told apart but not looked into.
//   Authorization = scheme 1*SP token68        scheme: "DPoP" or "Bearer", any case
// Two programs that pick different ones of two credentials would disagree about who is calling, so two are
// none. A token in the query or the body is never looked at. Pure; any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/reason.h"
#include "http/message.h"
#include "policy/route.h"

namespace holdfast::policy {

enum class AuthScheme : std::uint8_t { none, dpop, bearer };

struct Credentials {
  AuthScheme scheme = AuthScheme::none;  // dpop or bearer
  std::string_view token;                // a view into the fields
  std::string_view proof;                // with dpop
};

// For a route with access dpop or dpop_or_bearer. Refuses with no_credentials, authorization_malformed,
// authorization_multiple, bearer_refused, proof_missing or proof_multiple.
[[nodiscard]] Checked<Credentials> gather_credentials(const http::Fields& fields, Access access);

// The scheme that the request tried, for the challenge of a refusal; none where it is neither DPoP nor
// Bearer.
[[nodiscard]] AuthScheme tried_scheme(const http::Fields& fields);

}  // namespace holdfast::policy
