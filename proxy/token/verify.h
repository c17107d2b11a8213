// From an unverified token to facts: the signature under the issuer's keys, then the claims' types (rules 17
// to 20), and the judgement of those facts for one request (rules 18 and 23). Fetching keys is issuer/'s: a
// token_key_unknown from choose_keys() asks the caller to. Pure: the time is an argument. Any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/reason.h"
#include "base/time.h"
#include "jose/algorithm.h"
#include "jose/jwk_set.h"
#include "token/access_token.h"
#include "token/parsed_token.h"

namespace holdfast::token {

enum class TokenType : std::uint8_t { kAny, kAtJwt };

// RFC 7662: about which tokens their issuer is asked. kAlways: about JWTs, too, once they have verified.
enum class Introspection : std::uint8_t { kOff, kOpaque, kAlways };

// What one issuer's tokens have to be like.
struct IssuerRules {
  std::string issuer;  // the exact `iss`
  bool any_audience = false;
  std::vector<std::string> audiences;
  jose::AlgorithmSet algorithms{jose::Algorithm::RS256, jose::Algorithm::PS256, jose::Algorithm::ES256,
                                jose::Algorithm::Ed25519, jose::Algorithm::EdDSA};
  TokenType token_type = TokenType::kAny;  // of JWTs
  Introspection introspection = Introspection::kOff;
  Millis clock_skew{10'000};
};

// The keys of `keys` that may have signed. token_algorithm: not allowed by the issuer's rules, or the key
// with this `kid` is not for it. token_key_unknown: no such key here, so a refetch may help.
[[nodiscard]] Checked<std::vector<const jose::SetKey*>> choose_keys(const ParsedToken& token,
                                                                    const jose::KeySet& keys,
                                                                    const IssuerRules& rules);

// The facts, after the signature verified under one of `candidates`. Time and audience are judge()'s. Takes
// the claims out of `token`; what its header says stays.
[[nodiscard]] Checked<std::shared_ptr<const AccessToken>> verify(
    ParsedToken&& token, const std::vector<const jose::SetKey*>& candidates, const IssuerRules& rules);

// From this moment on judge() refuses the token as expired.
[[nodiscard]] UnixTime expiry(const AccessToken& token, const IssuerRules& rules);

// exp, nbf and iat.
[[nodiscard]] Checked<void> judge_times(const AccessToken& token, const IssuerRules& rules, UnixTime now);
[[nodiscard]] Checked<void> judge_audience(const AccessToken& token, const IssuerRules& rules);

// Issuer, audience, exp, nbf, iat: at every request, also for tokens from a cache.
[[nodiscard]] Checked<void> judge(const AccessToken& token, const IssuerRules& rules, UnixTime now);

}  // namespace holdfast::token
