// Reading claims: see the header.
#include "token/claims.h"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/base64url.h"
#include "jose/json.h"

namespace holdfast::token {
namespace {

namespace json = boost::json;

std::unexpected<Refusal> malformed(std::string_view claim, std::string_view flaw) {
  return refuse(Reason::token_malformed, "the token's " + std::string(claim) + " " + std::string(flaw));
}

std::optional<std::string> string_claim(const json::object& claims, std::string_view name) {
  const auto text = jose::string_member(claims, name);
  if (!text) return std::nullopt;
  return std::string(*text);
}

Checked<std::optional<UnixTime>> time_claim(const json::object& claims, std::string_view name) {
  const json::value* const value = claims.if_contains(json::string_view(name));
  if (value == nullptr) return std::nullopt;
  const auto ms = jose::numeric_date_ms(*value);
  if (!ms) return malformed(name, "is no number of seconds");
  return UnixTime(Millis(*ms));
}

// The strings of an array; what is no string is left out.
std::vector<std::string> strings_of(const json::value* value) {
  std::vector<std::string> strings;
  if (value == nullptr || !value->is_array()) return strings;
  for (const json::value& element : value->get_array()) {
    if (element.is_string()) strings.emplace_back(element.get_string().begin(), element.get_string().end());
  }
  return strings;
}

Checked<std::vector<std::string>> audience(const json::object& claims) {
  const json::value* const aud = claims.if_contains("aud");
  if (aud == nullptr) return {};
  if (const auto one = string_claim(claims, "aud")) return std::vector<std::string>{*one};
  auto all = strings_of(aud);
  if (!aud->is_array() || all.size() != aud->get_array().size()) {
    return malformed("aud", "is neither a string nor an array of strings");
  }
  return all;
}

// RFC 9068 2.2.3, RFC 6749 3.3: words with spaces between. Entra ID and Okta write `scp`, the latter and
// others an array.
std::vector<std::string> scopes(const json::object& claims) {
  const char* const name = claims.contains("scope") ? "scope" : "scp";
  const auto text = jose::string_member(claims, name);
  if (!text) return strings_of(claims.if_contains(name));
  std::vector<std::string> words;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find(' '), rest.size());
    if (end > 0) words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

// Keycloak: {"realm_access": {"roles": [...]}, "resource_access": {CLIENT: {"roles": [...]}}}
std::vector<std::string> roles_in(const json::value* access) {
  if (access == nullptr || !access->is_object()) return {};
  return strings_of(access->get_object().if_contains("roles"));
}

std::vector<std::pair<std::string, std::string>> client_roles(const json::object& claims) {
  std::vector<std::pair<std::string, std::string>> roles;
  const json::value* const clients = claims.if_contains("resource_access");
  if (clients == nullptr || !clients->is_object()) return roles;
  for (const auto& [client, access] : clients->get_object()) {
    for (std::string& role : roles_in(&access)) roles.emplace_back(std::string(client), std::move(role));
  }
  return roles;
}

bool is_sha256(std::string_view text) {
  const auto bytes = base64url_decode(text);
  return bytes && bytes->size() == 32;
}

Confirmation confirmation(const json::object& claims) {
  Confirmation cnf;
  const json::value* const value = claims.if_contains("cnf");
  if (value == nullptr) return cnf;
  cnf.present = true;
  if (!value->is_object()) return cnf;
  const json::object& members = value->get_object();
  cnf.jkt = string_claim(members, "jkt");
  if (members.contains("x5t#S256")) {
    // One that is no string binds to a certificate that nobody can show: the empty text equals no thumbprint.
    cnf.x5t_s256 = string_claim(members, "x5t#S256").value_or("");
    cnf.is_only_certificate = members.size() == 1 && is_sha256(*cnf.x5t_s256);
  }
  return cnf;
}

Checked<void> read_types(const json::object& claims, AccessToken& token) {
  token.typ = string_claim(claims, "typ");
  if (!claims.contains("typ")) return {};
  // Keycloak's ID tokens say ID, its refresh tokens Refresh or Offline, its logout tokens Logout.
  if (token.typ && (iequals(*token.typ, "Bearer") || iequals(*token.typ, "DPoP"))) return {};
  return refuse(Reason::token_type, "the token's typ claim is " + token.typ.value_or("no string") +
                                        ", not that of an access token");
}

Checked<void> read_times(const json::object& claims, AccessToken& token) {
  const auto exp = time_claim(claims, "exp");
  if (!exp) return std::unexpected(exp.error());
  if (!*exp) return malformed("exp", "is missing");
  token.exp = **exp;
  const auto nbf = time_claim(claims, "nbf");
  if (!nbf) return std::unexpected(nbf.error());
  token.nbf = *nbf;
  const auto iat = time_claim(claims, "iat");
  if (!iat) return std::unexpected(iat.error());
  token.iat = *iat;
  const auto auth_time = time_claim(claims, "auth_time");
  if (!auth_time) return std::unexpected(auth_time.error());
  token.auth_time = *auth_time;
  return {};
}

}  // namespace

Checked<AccessToken> read_claims(json::object claims) {
  AccessToken token;
  if (auto types = read_types(claims, token); !types) return std::unexpected(std::move(types).error());
  if (auto times = read_times(claims, token); !times) return std::unexpected(std::move(times).error());

  auto iss = string_claim(claims, "iss");
  if (!iss) return malformed("iss", "is missing or no string");
  token.iss = *std::move(iss);
  // It names the caller to the backend: one that cannot be named must not pass for one without a name.
  token.sub = string_claim(claims, "sub");
  if (!token.sub && claims.contains("sub")) return malformed("sub", "is no string");
  auto aud = audience(claims);
  if (!aud) return std::unexpected(std::move(aud).error());
  token.aud = *std::move(aud);

  token.client_id = string_claim(claims, "client_id");
  if (!token.client_id) token.client_id = string_claim(claims, "azp");
  token.acr = string_claim(claims, "acr");
  token.scopes = scopes(claims);
  token.realm_roles = roles_in(claims.if_contains("realm_access"));
  token.client_roles = client_roles(claims);
  token.cnf = confirmation(claims);
  token.email = string_claim(claims, "email");
  const json::value* const email_verified = claims.if_contains("email_verified");
  token.email_verified = email_verified != nullptr && email_verified->is_bool() && email_verified->get_bool();
  token.preferred_username = string_claim(claims, "preferred_username");
  token.claims = std::move(claims);
  return token;
}

}  // namespace holdfast::token
