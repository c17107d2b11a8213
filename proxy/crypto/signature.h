// Verifying one signature, in the form JOSE gives it: ECDSA as raw r||s (RFC 7518 3.4), RSA and Ed25519 as
// they are. Any thread, also several at once with one key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/public_key.h"

namespace holdfast::crypto {

enum class SignatureAlgorithm : std::uint8_t {
  kEcdsaP256Sha256,
  kEcdsaP384Sha384,
  kEcdsaP521Sha512,
  kRsaPssSha256,  // MGF1 with the same hash, salt as long as the hash (RFC 7518 3.5)
  kRsaPssSha384,
  kRsaPssSha512,
  kRsaPkcs1Sha256,
  kRsaPkcs1Sha384,
  kRsaPkcs1Sha512,
  kEd25519,
};

// Whether a key of this type can be used with the algorithm at all: an ES256 signature never counts under a
// P-384 key.
[[nodiscard]] bool fits(SignatureAlgorithm algorithm, KeyType type);

// True only if `signature` is `key`'s over `message`. A key that does not fit, a signature of the wrong
// length, and r or s that is zero or not below the group's order are all simply false.
[[nodiscard]] bool verify(const PublicKey& key, SignatureAlgorithm algorithm, std::string_view message,
                          std::string_view signature);

}  // namespace holdfast::crypto
