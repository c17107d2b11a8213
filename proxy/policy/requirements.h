// What a route demands of a verified access token beyond being valid: all of some scopes, and any or all of
// some roles. Judged at every request, never cached with the token (verification.md, 23). Claims, acr and
// authentication age join here. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "base/reason.h"

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
};

// scope_missing or role_missing; the detail names what the route demands, never what the token holds.
[[nodiscard]] Checked<void> check_requirements(const Requirements& require, const token::AccessToken& token);

}  // namespace holdfast::policy
