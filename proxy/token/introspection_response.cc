// Reading what an issuer answers: see the header.
#include "token/introspection_response.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "jose/json.h"
#include "token/claims.h"

namespace holdfast::token {
namespace {

namespace json = boost::json;

std::unexpected<Refusal> no_answer(std::string_view flaw) {
  return refuse(Reason::introspection_unavailable,
                "the issuer's answer about the access token " + std::string(flaw));
}

std::unexpected<Refusal> other_kind(std::string flaw) {
  return refuse(Reason::token_type, "the issuer says of the token that its " + std::move(flaw));
}

// Issuers answer about refresh tokens, too, and those live long and are bound to the same key. They are told
// apart by `token_type`, which is an access token's only, by the `token_use` that some issuers add, or by
// `aud`, which says what API the token is for. An answer with neither of the three could be about either.
Checked<void> check_kind(const json::object& answer, bool is_jwt) {
  const auto type = jose::string_member(answer, "token_type");
  if (answer.contains("token_type") && !(type && (iequals(*type, "DPoP") || iequals(*type, "Bearer")))) {
    return other_kind("token_type is " + std::string(type.value_or("no string")) +
                      ", not that of an access token");
  }
  const auto use = jose::string_member(answer, "token_use");
  if (answer.contains("token_use") && !(use && (*use == "access_token" || *use == "access"))) {
    return other_kind("token_use is " + std::string(use.value_or("no string")) +
                      ", not that of an access token");
  }
  if (!is_jwt && !type && !use && !answer.contains("aud")) {
    return other_kind("kind is unknown: neither token_type nor aud is there");
  }
  return {};
}

// What either of the two says about the holder's key holds.
void merge_confirmation(const json::object& own, json::object& answer) {
  const json::value* const from = own.if_contains("cnf");
  json::value* const to = answer.if_contains("cnf");
  if (from == nullptr || to == nullptr || !from->is_object() || !to->is_object()) return;
  for (const auto& [name, value] : from->get_object()) to->get_object().emplace(name, value);
}

json::object claims_of(json::object answer, std::string_view issuer, const AccessToken* jwt) {
  if (jwt == nullptr) {
    answer.emplace("iss", issuer);
    return answer;
  }
  merge_confirmation(jwt->claims, answer);
  for (const auto& [name, value] : jwt->claims) answer.emplace(name, value);
  return answer;
}

}  // namespace

Checked<AccessToken> read_introspection(std::string_view response, std::string_view issuer,
                                        const AccessToken* jwt) {
  if (response.size() > kMaxIntrospectionSize) return no_answer("is too large");
  auto answer = jose::parse_json_object(response);
  if (!answer) return no_answer("is no strict JSON object");
  const json::value* const active = answer->if_contains("active");
  if (active == nullptr || !active->is_bool()) return no_answer("has no active that is true or false");
  if (!active->get_bool()) {
    return refuse(Reason::token_inactive, "the issuer says that the access token is not active");
  }
  if (auto kind = check_kind(*answer, jwt != nullptr); !kind) return std::unexpected(std::move(kind).error());
  const auto type = jose::string_member(*answer, "token_type");
  const bool is_dpop = type && iequals(*type, "DPoP");

  auto facts = read_claims(claims_of(*std::move(answer), issuer, jwt));
  if (!facts) return facts;
  facts->dpop_by_introspection = is_dpop;
  if (!facts->preferred_username) {
    if (const auto username = jose::string_member(facts->claims, "username")) {
      facts->preferred_username = *username;
    }
  }
  if (jwt != nullptr) {
    facts->alg = jwt->alg;
    facts->kid = jwt->kid;
    facts->is_at_jwt = jwt->is_at_jwt;
  }
  return facts;
}

Millis introspection_lifetime(const Checked<AccessToken>& answer, Millis cache, UnixTime asked) {
  if (answer) return std::max(std::min(cache, answer->exp - asked), Millis(0));
  if (answer.error().reason == Reason::introspection_unavailable) return Millis(0);
  return std::min(cache, kRefusalLifetime);
}

}  // namespace holdfast::token
