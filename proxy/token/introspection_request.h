// What is sent to ask an issuer about a token (RFC 7662 2.1), and how the asker shows who it is:
// client_secret_basic (RFC 6749 2.3.1) or private_key_jwt (RFC 7523 3, OpenID Connect Core 9). Signing the
// assertion and sending it all is issuer/'s. Pure: the time and the randomness are arguments. Any thread.
#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "base/time.h"
#include "crypto/public_key.h"
#include "jose/algorithm.h"

namespace holdfast::token {

// The secret that a file holds: its one line. The error is a sentence, without it, that begins with a verb.
[[nodiscard]] std::expected<Secret, std::string> client_secret_of(std::string_view file_contents);

// The value of Authorization: both parts are form-encoded before they are joined, so a ':' in the client's
// name does not move the border between them.
[[nodiscard]] Secret basic_authorization(std::string_view client_id, const Secret& client_secret);

struct AssertionClaims {
  std::string_view client_id;  // `iss` and `sub`
  std::string_view
      audience;          // the issuer's `iss`: an endpoint's URL could be one that a hostile issuer names
  std::string_view jti;  // never used before
  UnixTime now;
  std::string_view kid = {};  // what the issuer calls the key; empty: it knows one alone
};
inline constexpr std::chrono::seconds kAssertionLifetime{60};

// The one algorithm that a key of this type signs assertions with. RSA's is RS256, which every issuer takes.
[[nodiscard]] jose::Algorithm assertion_algorithm(crypto::KeyType type);

// Header and payload of the assertion. It is complete with "." and the signature over this.
[[nodiscard]] std::string assertion_signing_input(jose::Algorithm algorithm, const AssertionClaims& claims);

// The request's body, application/x-www-form-urlencoded. `assertion` is empty where Authorization says who
// asks.
[[nodiscard]] Secret introspection_form(std::string_view token, std::string_view assertion);

}  // namespace holdfast::token
