// A DPoP proof (RFC 9449 4.2) read from the `DPoP` field's value, rules 4 to 8: its form, its header with the
// key, and its claims' presence and types. Nothing is believed yet: check.h compares the claims with the
// request, and the signature comes last. The first segment is the same bytes for every proof of one client,
// so a caller may remember parsed headers. Pure; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "base/time.h"
#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "jose/algorithm.h"

namespace holdfast::dpop {

inline constexpr std::size_t kMaxJtiSize = 512;

// What the first segment says. Immutable, so that requests can share it.
struct ProofHeader {
  jose::Algorithm alg;
  crypto::PublicKey key;
  std::string jkt;               // RFC 7638 thumbprint of `jwk`
  crypto::Digest256 thumbprint;  // the same before base64url
};

struct Proof {
  std::shared_ptr<const ProofHeader> header;
  bool header_known = false;  // it was found among the headers parsed before
  std::string htm;
  std::string htu;
  std::string jti;
  UnixTime iat;
  std::optional<std::string> ath;
  std::optional<std::string> nonce;
  std::optional<UnixTime> exp;
  std::optional<UnixTime> nbf;

  std::string_view header_segment;  // views into the compact text, which has to outlive the proof
  std::string_view signing_input;
  std::string signature;  // decoded
};

// Headers parsed before, by the exact bytes of their segment. Enter one only after a signature under its key
// verified: otherwise strangers fill the cache with rubbish.
class KnownHeaders {
 public:
  [[nodiscard]] virtual std::shared_ptr<const ProofHeader> find(std::string_view segment) const = 0;

 protected:
  ~KnownHeaders() = default;
};

// `compact` has to outlive the proof. A header found among `known` is held against `algorithms`, too: what is
// accepted may have changed since.
[[nodiscard]] Checked<Proof> parse_proof(std::string_view compact, const KnownHeaders* known = nullptr,
                                         jose::AlgorithmSet algorithms = jose::AlgorithmSet::all());

}  // namespace holdfast::dpop
