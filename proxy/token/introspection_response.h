// What an issuer answers when it is asked about a token (RFC 7662 2.2, RFC 9449 6.2), read into the same
// facts that a JWT gives; they are judged as those are, by verify.h's judge().
//
//   response = object { "active": true / false, members as in a JWT's claims, "token_type", "username" }
//
// A member that decides something and has the wrong type refuses the token; an answer that is not of this
// form says nothing about it. Pure; any thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/reason.h"
#include "base/time.h"
#include "token/access_token.h"

namespace holdfast::token {

// More than any real answer: a token of the largest size, spelled out with what its issuer left out of it.
inline constexpr std::size_t kMaxIntrospectionSize = 128 * 1024;

// `issuer` is the `iss` of who was asked, and the token's where the answer names none. `jwt` is what the
// token says itself, where it is a JWT that has verified, and else null: the answer's members take the place
// of the token's own, and what it leaves out stays as the token says it.
//
// introspection_unavailable: no answer of this form. token_inactive: `active` is false. token_type: not an
// access token. token_malformed: as read_claims() has it.
[[nodiscard]] Checked<AccessToken> read_introspection(std::string_view response, std::string_view issuer,
                                                      const AccessToken* jwt);

// For how long, from `asked` on, the answer may stand for the issuer: never past the token's `exp`.
[[nodiscard]] Millis introspection_lifetime(const Checked<AccessToken>& answer, Millis cache, UnixTime asked);

// How long an answer is kept that refuses its token, at most. Kept at all, or whoever holds a revoked token
// could make us ask about it with every request; no longer, since a token that an issuer's other half has
// not heard of yet becomes active in a moment.
inline constexpr Millis kRefusalLifetime{5'000};

}  // namespace holdfast::token
