// A JWT access token taken apart, rule 17 and its share of 4 and 5: the header is judged, the payload is only
// looked into for `iss`, to know whose keys to ask. Nothing here is verified. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "jose/algorithm.h"

namespace holdfast::token {

struct ParsedToken {
  jose::Algorithm alg;
  std::optional<std::string> kid;
  bool is_at_jwt = false;  // `typ` is at+jwt or application/at+jwt
  // Unverified: to choose the issuer with, never to show or to decide by.
  std::string unverified_iss;
  boost::json::object unverified_claims;

  std::string_view signing_input;  // a view into the token, which has to outlive this
  std::string signature;           // decoded
};

// Whether a credential is a JWT, good or bad, rather than opaque: three segments, of which the first holds
// what may be a JSON object. Opaque ones go to introspection; a JWT never does before it has verified, since
// it could be another issuer's.
[[nodiscard]] bool looks_like_jwt(std::string_view credential);

[[nodiscard]] Checked<ParsedToken> parse(std::string_view credential);

}  // namespace holdfast::token
