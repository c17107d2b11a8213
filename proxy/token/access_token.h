// What a verified JWT access token says (RFC 9068, RFC 7519, RFC 7800): facts that may be cached under the
// token's digest. They are no verdict: judge.h judges time, audience and issuer again at every request. Only
// verify.h makes one from a JWT. Immutable once made; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/reason.h"
#include "base/time.h"
#include "jose/algorithm.h"

namespace holdfast::token {

// What the token says about its holder's key (RFC 7800 `cnf`).
struct Confirmation {
  bool present = false;                 // there is a `cnf` member of whatever form, null included
  bool is_only_certificate = false;     // an object with a well-formed `x5t#S256` and no other way to confirm
  std::optional<std::string> jkt;       // RFC 9449 6.1
  std::optional<std::string> x5t_s256;  // RFC 8705 3.1
};

struct AccessToken {
  std::string iss;
  std::optional<std::string> sub;
  std::optional<std::string> client_id;  // `client_id`, else `azp`
  std::vector<std::string> aud;
  UnixTime exp;
  std::optional<UnixTime> nbf;
  std::optional<UnixTime> iat;
  std::optional<UnixTime> auth_time;
  std::optional<std::string> acr;
  std::vector<std::string> scopes;
  std::vector<std::string> realm_roles;
  std::vector<std::pair<std::string, std::string>> client_roles;  // client, role
  Confirmation cnf;
  std::optional<std::string> typ;      // the payload's `typ` (Keycloak: `DPoP` when bound, else `Bearer`)
  bool dpop_by_introspection = false;  // RFC 7662 said `token_type: DPoP`
  std::optional<std::string> email;
  bool email_verified = false;
  std::optional<std::string> preferred_username;
  boost::json::object claims;  // all of them, for policies

  jose::Algorithm alg{};
  std::optional<std::string> kid;  // of the token's header
  bool is_at_jwt = false;          // header `typ` was at+jwt
};

// About how many bytes of memory the facts take, for whoever keeps them: most of it is `claims`, which its
// issuer makes as large as it likes.
[[nodiscard]] std::size_t footprint(const AccessToken& token);

// Rule 3: why the token must not be taken as Bearer, if so. `x5t_satisfied`: the TLS client certificate
// matches `x5t#S256`.
[[nodiscard]] Checked<void> check_bearer(const AccessToken& token, bool x5t_satisfied);

}  // namespace holdfast::token
