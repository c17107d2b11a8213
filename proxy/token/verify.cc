// Verifying and judging tokens: see the header.
#include "token/verify.h"

#include <algorithm>
#include <array>
#include <utility>

#include "crypto/signature.h"
#include "jose/json.h"
#include "token/claims.h"

namespace holdfast::token {
namespace {

// RFC 9068 2.2: what a token of this type must have, beyond what every token must.
Checked<void> check_at_jwt(const AccessToken& token) {
  if (!token.is_at_jwt) return refuse(Reason::token_type, "the token header's typ is not at+jwt");
  constexpr auto kRequired = std::to_array<std::string_view>({"aud", "sub", "client_id", "iat", "jti"});
  for (const std::string_view name : kRequired) {
    if (!token.claims.contains(boost::json::string_view(name))) {
      return refuse(Reason::token_malformed,
                    "the token's " + std::string(name) + " is missing (RFC 9068 2.2)");
    }
  }
  for (const std::string_view name : {"client_id", "jti"}) {
    if (!jose::string_member(token.claims, name)) {
      return refuse(Reason::token_malformed, "the token's " + std::string(name) + " is no string");
    }
  }
  return {};
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text.append(", ");
    text.append(word);
  }
  return text;
}

std::string seconds(UnixTime time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

std::string against_clock(std::string_view claim, UnixTime value, UnixTime now) {
  return "the token's " + std::string(claim) + " is " + seconds(value) + ", the time here is " + seconds(now);
}

}  // namespace

Checked<std::vector<const jose::SetKey*>> choose_keys(const ParsedToken& token, const jose::KeySet& keys,
                                                      const IssuerRules& rules) {
  if (!rules.algorithms.contains(token.alg)) {
    return refuse(Reason::token_algorithm, "the token's alg is not accepted from its issuer");
  }
  auto chosen = keys.candidates(token.kid, token.alg);
  if (!chosen.empty()) return chosen;
  const bool known = token.kid && std::ranges::any_of(keys.keys(), [&token](const jose::SetKey& key) {
                       return key.kid == token.kid;
                     });
  if (known)
    return refuse(Reason::token_algorithm,
                  "the issuer's key with the token's kid is not for the token's alg");
  return refuse(Reason::token_key_unknown, token.kid ? "the issuer has no key with the token's kid"
                                                     : "the issuer has no key for the token's alg");
}

Checked<std::shared_ptr<const AccessToken>> verify(ParsedToken&& token,
                                                   const std::vector<const jose::SetKey*>& candidates,
                                                   const IssuerRules& rules) {
  const bool verified = std::ranges::any_of(candidates, [&token](const jose::SetKey* key) {
    return crypto::verify(key->key, jose::row_of(token.alg).signature, token.signing_input, token.signature);
  });
  if (!verified)
    return refuse(Reason::token_signature, "the token's signature does not verify under its issuer's keys");

  auto facts = read_claims(std::move(token.unverified_claims));
  if (!facts) return std::unexpected(std::move(facts).error());
  facts->alg = token.alg;
  facts->kid = token.kid;
  facts->is_at_jwt = token.is_at_jwt;
  if (rules.token_type == TokenType::kAtJwt) {
    if (auto at_jwt = check_at_jwt(*facts); !at_jwt) return std::unexpected(std::move(at_jwt).error());
  }
  return std::make_shared<const AccessToken>(*std::move(facts));
}

// RFC 7519 4.1.4: not accepted on or after `exp`.
UnixTime expiry(const AccessToken& token, const IssuerRules& rules) {
  return token.exp + rules.clock_skew;
}

Checked<void> judge_audience(const AccessToken& token, const IssuerRules& rules) {
  const auto is_accepted = [&rules](const std::string& aud) {
    return std::ranges::find(rules.audiences, aud) != rules.audiences.end();
  };
  if (!rules.any_audience && std::ranges::none_of(token.aud, is_accepted)) {
    return refuse(Reason::token_audience,
                  token.aud.empty()
                      ? "the token has no aud, so nothing says that it was issued for this API"
                      : "the token's aud is " + joined(token.aud) + ", which names nothing served here");
  }
  return {};
}

Checked<void> judge_times(const AccessToken& token, const IssuerRules& rules, UnixTime now) {
  if (now >= expiry(token, rules)) return refuse(Reason::token_expired, against_clock("exp", token.exp, now));
  if (token.nbf && now < *token.nbf - rules.clock_skew) {
    return refuse(Reason::token_not_yet_valid, against_clock("nbf", *token.nbf, now));
  }
  if (token.iat && now < *token.iat - rules.clock_skew) {
    return refuse(Reason::token_not_yet_valid, against_clock("iat", *token.iat, now));
  }
  return {};
}

Checked<void> judge(const AccessToken& token, const IssuerRules& rules, UnixTime now) {
  if (token.iss != rules.issuer)
    return refuse(Reason::token_issuer, "the token's iss is " + token.iss + ", which is not accepted here");
  if (auto judged = judge_audience(token, rules); !judged) return judged;
  return judge_times(token, rules, now);
}

}  // namespace holdfast::token
