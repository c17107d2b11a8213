// Judging a proof: see the header.
#include "dpop/check.h"

#include <string>

#include "base/base64url.h"
#include "crypto/signature.h"
#include "dpop/htu.h"

namespace holdfast::dpop {
namespace {

// With a nonce of ours in it a proof's age is known without the client's clock; a clock off by more is taken
// for an error.
constexpr Millis kNonceIatWindow = std::chrono::hours(24);

std::string seconds(UnixTime time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count());
}

std::string against_clock(std::string_view claim, UnixTime value, UnixTime now) {
  return std::string(claim) + " is " + seconds(value) + ", the time here is " + seconds(now);
}

Checked<Freshness> check_nonce(const Proof& proof, const NonceIssuer& nonces, UnixTime now) {
  if (!proof.nonce) return refuse(Reason::nonce_required, "the proof has no nonce, and one is required here");
  const auto times = nonces.judge(*proof.nonce, now);
  if (times) return Freshness{*times};
  if (times.error() == NonceFlaw::kStale)
    return refuse(Reason::nonce_stale, "the proof's nonce is not of this time");
  return refuse(Reason::nonce_invalid, "the proof's nonce was not issued here");
}

Checked<void> check_times(const Proof& proof, const Window& window, bool by_nonce, UnixTime now) {
  const Millis oldest = by_nonce ? kNonceIatWindow : window.reach(proof.iat);
  const Millis newest = by_nonce ? kNonceIatWindow : window.clock_skew;
  if (proof.iat < now - oldest) return refuse(Reason::iat_too_old, against_clock("iat", proof.iat, now));
  if (proof.iat > now + newest) return refuse(Reason::iat_in_future, against_clock("iat", proof.iat, now));
  // RFC 7519 4.1.4: not accepted on or after `exp`.
  if (proof.exp && now >= *proof.exp + window.clock_skew) {
    return refuse(Reason::proof_claim, against_clock("the proof's exp", *proof.exp, now));
  }
  if (proof.nbf && now < *proof.nbf - window.clock_skew) {
    return refuse(Reason::proof_claim, against_clock("the proof's nbf", *proof.nbf, now));
  }
  return {};
}

// Ties the proof to this token: else a proof made for one token would carry another (RFC 9449 11.9).
Checked<void> check_ath(const Proof& proof, const crypto::Digest256& token_digest) {
  if (!proof.ath) return refuse(Reason::proof_claim, "ath is missing");
  const std::string wanted = base64url_encode(token_digest);
  if (*proof.ath == wanted) return {};
  return refuse(Reason::ath_mismatch,
                "ath is not base64url(SHA-256) of the access token sent with the proof");
}

}  // namespace

Checked<Freshness> check_claims(const Proof& proof, const Expectation& expected, UnixTime now) {
  if (proof.htm != expected.method) {
    return refuse(Reason::htm_mismatch,
                  "htm names " + proof.htm + ", this request is " + std::string(expected.method));
  }
  if (auto htu = check_htu(proof.htu, expected.normal_uri); !htu)
    return std::unexpected(std::move(htu).error());

  Freshness freshness;
  if (expected.nonces != nullptr) {
    auto nonce = check_nonce(proof, *expected.nonces, now);
    if (!nonce) return nonce;
    freshness = *nonce;
  }
  const bool by_nonce = freshness.nonce && freshness.nonce->issued_at >= expected.window.nonces_since;
  if (auto times = check_times(proof, expected.window, by_nonce, now); !times) {
    return std::unexpected(std::move(times).error());
  }
  if (auto ath = check_ath(proof, expected.token_digest); !ath)
    return std::unexpected(std::move(ath).error());
  return freshness;
}

Checked<void> check_binding(const Proof& proof, std::string_view cnf_jkt) {
  if (crypto::constant_time_equal(proof.header->jkt, cnf_jkt)) return {};
  return refuse(Reason::key_mismatch, "the token is bound to key " + std::string(cnf_jkt) +
                                          ", the proof is by key " + proof.header->jkt);
}

Checked<void> verify_signature(const Proof& proof) {
  if (crypto::verify(proof.header->key, jose::row_of(proof.header->alg).signature, proof.signing_input,
                     proof.signature)) {
    return {};
  }
  return refuse(Reason::proof_signature, "the proof's signature does not verify under its jwk");
}

}  // namespace holdfast::dpop
