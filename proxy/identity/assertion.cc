#include "identity/assertion.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/base64url.h"
#include "jose/jwk.h"
#include "token/access_token.h"

namespace holdfast::identity {
namespace {

std::string segment(const boost::json::object& object) {
  const std::string text = boost::json::serialize(object);
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

std::int64_t seconds(UnixTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void add(boost::json::object& to, std::string_view name, const std::optional<std::string>& claim) {
  if (claim) to[name] = *claim;
}

void add_roles(boost::json::object& to, const token::AccessToken& token) {
  if (!token.realm_roles.empty()) {
    to["roles"] = boost::json::array(token.realm_roles.begin(), token.realm_roles.end());
  }
  boost::json::object clients;
  for (const auto& [client, role] : token.client_roles) {
    auto& roles = clients[client];
    if (!roles.is_array()) roles.emplace_array();
    roles.get_array().emplace_back(role);
  }
  if (!clients.empty()) to["client_roles"] = std::move(clients);
}

}  // namespace

std::string assertion_header(std::string_view kid) {
  return segment({{"alg", "ES256"}, {"typ", "JWT"}, {"kid", kid}});
}

std::string assertion_payload(const AssertionClaims& claims) {
  const token::AccessToken& token = *claims.token;
  boost::json::object payload{{"iss", claims.issuer},
                              {"aud", claims.audience},
                              {"iat", seconds(claims.issued)},
                              {"exp", seconds(claims.expires)},
                              {"token_iss", token.iss}};
  add(payload, "sub", token.sub);
  add(payload, "client_id", token.client_id);
  add(payload, "preferred_username", token.preferred_username);
  // An address that nobody verified is whatever its owner typed.
  if (token.email_verified) add(payload, "email", token.email);
  if (!token.scopes.empty()) {
    std::string scope;
    for (const std::string& each : token.scopes) scope += (scope.empty() ? "" : " ") + each;
    payload["scope"] = scope;
  }
  add_roles(payload, token);
  if (token.auth_time) payload["auth_time"] = seconds(*token.auth_time);
  add(payload, "acr", token.acr);
  if (!claims.jkt.empty()) payload["cnf"] = {{"jkt", claims.jkt}};
  return segment(payload);
}

std::string assertion_key_set(std::span<const crypto::PublicKey* const> keys) {
  boost::json::array all;
  for (const crypto::PublicKey* const key : keys) {
    boost::json::object jwk = boost::json::parse(jose::canonical_jwk(*key)).as_object();
    jwk["alg"] = "ES256";
    jwk["use"] = "sig";
    jwk["kid"] = jose::thumbprint(*key);
    all.emplace_back(std::move(jwk));
  }
  return boost::json::serialize(boost::json::object{{"keys", std::move(all)}});
}

}  // namespace holdfast::identity
