// Judges a parsed proof against the request it came with (RFC 9449 4.3), rules 9 to 15 of the
// verification page. The order is the caller's to keep: check_claims before the token, check_binding after
// it, verify_signature last but for replay. Pure: the time is an argument. Any thread.
#pragma once

#include <optional>
#include <string_view>

#include "base/reason.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "dpop/nonce.h"
#include "dpop/proof.h"
#include "dpop/window.h"

namespace holdfast::dpop {

// What a proof has to say to count for this request.
struct Expectation {
  std::string_view method;           // of the request, as sent; GET for an RFC 8441 CONNECT
  std::string_view normal_uri;       // http/target_uri's normal form of the request's URI, without query
  crypto::Digest256 token_digest{};  // SHA-256 of the token as sent
  Window window;
  // Where a nonce is required, who issued it; null: none is required, and a `nonce` claim is ignored.
  const NonceIssuer* nonces = nullptr;
};

// What the checks learned and later steps need.
struct Freshness {
  std::optional<NonceTimes> nonce;  // of the valid nonce, where one is required
};

// Rules 9, 10, 13, 11, 12, and `exp` and `nbf` of 8, in this order.
[[nodiscard]] Checked<Freshness> check_claims(const Proof& proof, const Expectation& expected, UnixTime now);

// Rule 14: the token is bound to the proof's key. `cnf_jkt` is the token's.
[[nodiscard]] Checked<void> check_binding(const Proof& proof, std::string_view cnf_jkt);

// Rule 15. Expensive: only for a proof whose key a valid token names.
[[nodiscard]] Checked<void> verify_signature(const Proof& proof);

}  // namespace holdfast::dpop
