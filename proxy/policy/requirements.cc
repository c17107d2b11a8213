// Scopes and roles: see the header.
#include "policy/requirements.h"

#include <algorithm>
#include <string_view>

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

}  // namespace

Checked<void> check_requirements(const Requirements& require, const token::AccessToken& token) {
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
  return {};
}

}  // namespace holdfast::policy
