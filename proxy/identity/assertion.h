// The signed identity for backends (the contract's `identity.assertion`): a JWT (RFC 7519) that says who is
// calling, for one upstream and a short time, so that a backend need not trust the network between it and
// Holdfast. Here is what it says; signing it is pipeline/assertion_signer.h's, since a signature draws
// randomness. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/public_key.h"

namespace holdfast::token {
struct AccessToken;
}

namespace holdfast::identity {

struct AssertionClaims {
  std::string_view issuer;                    // `iss`
  std::string_view audience;                  // `aud`
  const token::AccessToken* token = nullptr;  // what is told of it is listed at assertion_payload()
  std::string_view jkt;  // `cnf.jkt`: the proof key's thumbprint; empty: no proof was asked for
  UnixTime issued;       // `iat`, in whole seconds, rounded down
  UnixTime expires;      // `exp`, in whole seconds, rounded down
};

// {"alg":"ES256","typ":"JWT","kid":...}, base64url: the first segment of each assertion under one key.
[[nodiscard]] std::string assertion_header(std::string_view kid);

// The second segment. Verified claims only, and each only where the token has it:
//   sub client_id preferred_username email (only when verified) scope (one string, RFC 8693 4.2)
//   roles (array of realm roles) client_roles ({client: [role, ...]}) token_iss (the token's issuer)
//   auth_time acr
[[nodiscard]] std::string assertion_payload(const AssertionClaims& claims);

// The JWK set (RFC 7517 5) of the public keys, each with its thumbprint as `kid`.
[[nodiscard]] std::string assertion_key_set(std::span<const crypto::PublicKey* const> keys);

}  // namespace holdfast::identity
