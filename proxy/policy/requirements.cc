// Scopes, roles, claims and logins: see the header.
#include "policy/requirements.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "token/access_token.h"

namespace holdfast::policy {
namespace {

// "%3A" read as ':'; everything else as it is.
std::string decode_colons(std::string_view text) {
  std::string decoded;
  while (!text.empty()) {
    const bool colon = text.starts_with("%3A");
    decoded += colon ? ':' : text[0];
    text.remove_prefix(colon ? 3 : 1);
  }
  return decoded;
}

// The first ':' parts client and role, so a realm role that holds one cannot pose as a client's.
bool has_role(const token::AccessToken& token, std::string_view wanted) {
  const std::size_t colon = wanted.find(':');
  const std::string realm_or_client = decode_colons(wanted.substr(0, colon));
  if (colon == std::string_view::npos) {
    return std::ranges::find(token.realm_roles, realm_or_client) != token.realm_roles.end();
  }
  const std::string_view role = wanted.substr(colon + 1);
  return std::ranges::any_of(token.client_roles, [&](const auto& client_role) {
    return client_role.first == realm_or_client && client_role.second == role;
  });
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ' ';
    text += word;
  }
  return text;
}

std::string seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count());
}

Checked<void> check_claims(const std::vector<ClaimRule>& rules, const token::AccessToken& token) {
  for (const ClaimRule& rule : rules) {
    const boost::json::value* const claim = find_claim(token.claims, rule.path);
    if (claim == nullptr) {
      return refuse(Reason::claim_mismatch,
                    "this route looks at claim " + rule.name + ", which the token does not have");
    }
    if (!allows(rule, *claim)) {
      return refuse(Reason::claim_mismatch, "this route requires another value of claim " + rule.name);
    }
  }
  return {};
}

// RFC 9470 5: what the token does not say counts as not done.
Checked<void> check_login(const Requirements& require, const token::AccessToken& token, UnixTime now,
                          Millis clock_skew) {
  const auto weak = [](std::string how) { return refuse(Reason::step_up_required, std::move(how)); };
  if (!require.acr.empty() &&
      (!token.acr || std::ranges::find(require.acr, *token.acr) == require.acr.end())) {
    return weak("this route requires a login with acr " + joined(require.acr) +
                (token.acr ? ", the token's is " + *token.acr : ", and the token has none"));
  }
  if (!require.max_auth_age) return {};
  const std::string demand =
      "this route requires a login of the last " + seconds(*require.max_auth_age) + " s";
  if (!token.auth_time) return weak(demand + ", and the token has no auth_time");
  // Nobody has logged in in the future; a claim that says so would hold for ever.
  if (*token.auth_time - clock_skew > now || now > *token.auth_time + *require.max_auth_age + clock_skew) {
    return weak(demand + ", the token's auth_time is " + seconds(token.auth_time->time_since_epoch()) +
                ", the time here is " + seconds(now.time_since_epoch()));
  }
  return {};
}

}  // namespace

Checked<void> check_requirements(const Requirements& require, const token::AccessToken& token, UnixTime now,
                                 Millis clock_skew) {
  for (const std::string& scope : require.scopes) {
    if (std::ranges::find(token.scopes, scope) == token.scopes.end()) {
      return refuse(Reason::scope_missing, "this route requires scope " + joined(require.scopes));
    }
  }
  const auto has = [&](const std::string& role) { return has_role(token, role); };
  if (!std::ranges::all_of(require.roles_all, has)) {
    return refuse(Reason::role_missing, "this route requires all roles of: " + joined(require.roles_all));
  }
  if (!require.roles_any.empty() && std::ranges::none_of(require.roles_any, has)) {
    return refuse(Reason::role_missing, "this route requires one role of: " + joined(require.roles_any));
  }
  if (auto claims = check_claims(require.claims, token); !claims) return claims;
  return check_login(require, token, now, clock_skew);
}

}  // namespace holdfast::policy
