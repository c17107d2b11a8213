// What a route demands of a verified access token beyond being valid: all of some scopes, any or all of some
// roles, values of claims, and a login that is strong and new enough (RFC 9470). Judged at every request,
// never cached with the token (verification.md, 23). Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/reason.h"
#include "base/time.h"
#include "policy/claim_rule.h"

namespace holdfast::token {
struct AccessToken;
}

namespace holdfast::policy {

struct Requirements {
  std::vector<std::string> scopes;  // all of them
  // As the roles header shows them: "admin" for a realm role, "orders-api:clerk" for a client's; ':' in a
  // realm role or in a client's name is written %3A.
  std::vector<std::string> roles_any;  // at least one of them, where there are any
  std::vector<std::string> roles_all;
  std::vector<ClaimRule> claims;       // each of them
  std::vector<std::string> acr;        // one of them, where there are any; the most wanted first
  std::optional<Millis> max_auth_age;  // since `auth_time`
};

// scope_missing, role_missing, claim_mismatch or step_up_required, in this order: a new login helps against
// the last one only. The detail names what the route demands, but never a value that a claim should have; of
// the token it names `acr` and `auth_time`. `clock_skew` is the issuer's.
[[nodiscard]] Checked<void> check_requirements(const Requirements& require, const token::AccessToken& token,
                                               UnixTime now, Millis clock_skew);

}  // namespace holdfast::policy
