// The signature algorithms that Holdfast knows (RFC 7518 3.1, RFC 8037, RFC 9864): one row says everything
// about one. `none` and the MACs have no row, so no configuration can let them in. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/signature.h"

namespace holdfast::jose {

enum class Algorithm : std::uint8_t {
  ES256,
  ES384,
  ES512,
  PS256,
  PS384,
  PS512,
  RS256,
  RS384,
  RS512,
  Ed25519,
  EdDSA
};

struct AlgorithmRow {
  Algorithm algorithm;
  std::string_view name;  // as `alg` spells it
  std::string_view kty;
  std::string_view crv;  // empty for RSA
  crypto::SignatureAlgorithm signature;
};

inline constexpr auto kAlgorithms = std::to_array<AlgorithmRow>({
    {Algorithm::ES256, "ES256", "EC", "P-256", crypto::SignatureAlgorithm::kEcdsaP256Sha256},
    {Algorithm::ES384, "ES384", "EC", "P-384", crypto::SignatureAlgorithm::kEcdsaP384Sha384},
    {Algorithm::ES512, "ES512", "EC", "P-521", crypto::SignatureAlgorithm::kEcdsaP521Sha512},
    {Algorithm::PS256, "PS256", "RSA", "", crypto::SignatureAlgorithm::kRsaPssSha256},
    {Algorithm::PS384, "PS384", "RSA", "", crypto::SignatureAlgorithm::kRsaPssSha384},
    {Algorithm::PS512, "PS512", "RSA", "", crypto::SignatureAlgorithm::kRsaPssSha512},
    {Algorithm::RS256, "RS256", "RSA", "", crypto::SignatureAlgorithm::kRsaPkcs1Sha256},
    {Algorithm::RS384, "RS384", "RSA", "", crypto::SignatureAlgorithm::kRsaPkcs1Sha384},
    {Algorithm::RS512, "RS512", "RSA", "", crypto::SignatureAlgorithm::kRsaPkcs1Sha512},
    {Algorithm::Ed25519, "Ed25519", "OKP", "Ed25519", crypto::SignatureAlgorithm::kEd25519},
    // RFC 9864 deprecates this name because it also means Ed448; here it means Ed25519 alone.
    {Algorithm::EdDSA, "EdDSA", "OKP", "Ed25519", crypto::SignatureAlgorithm::kEd25519},
});

[[nodiscard]] constexpr const AlgorithmRow& row_of(Algorithm algorithm) {
  return kAlgorithms[static_cast<std::size_t>(algorithm)];
}
[[nodiscard]] constexpr std::string_view algorithm_name(Algorithm algorithm) {
  return row_of(algorithm).name;
}

// Case-sensitive, as RFC 7515 4.1.1 wants it.
[[nodiscard]] constexpr std::optional<Algorithm> algorithm_named(std::string_view name) {
  for (const AlgorithmRow& row : kAlgorithms) {
    if (row.name == name) return row.algorithm;
  }
  return std::nullopt;
}

// An allow-list.
class AlgorithmSet {
 public:
  constexpr AlgorithmSet() = default;
  constexpr AlgorithmSet(std::initializer_list<Algorithm> algorithms) {
    for (const Algorithm algorithm : algorithms) insert(algorithm);
  }
  [[nodiscard]] static constexpr AlgorithmSet all() {
    AlgorithmSet set;
    for (const AlgorithmRow& row : kAlgorithms) set.insert(row.algorithm);
    return set;
  }

  constexpr void insert(Algorithm algorithm) { bits_ |= 1U << static_cast<unsigned>(algorithm); }
  [[nodiscard]] constexpr bool contains(Algorithm algorithm) const {
    return (bits_ >> static_cast<unsigned>(algorithm) & 1U) != 0;
  }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  // Space-separated, in the table's order: the `algs` parameter of RFC 9449 7.1.
  [[nodiscard]] std::string names() const;
  friend constexpr bool operator==(AlgorithmSet, AlgorithmSet) = default;

 private:
  std::uint32_t bits_ = 0;
};

}  // namespace holdfast::jose
