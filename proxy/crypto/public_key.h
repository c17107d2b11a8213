// A public signature key: RSA, ECDSA on the NIST curves or Ed25519, checked when it is made, shared when it
// is copied. It keeps the numbers that it was made from, in their one canonical form, for thumbprints (RFC
// 7638). Immutable to its users: any thread, also several at once.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::crypto {

enum class KeyType : std::uint8_t { kRsa, kP256, kP384, kP521, kEd25519 };

// Bytes of one coordinate, or of the whole key for Ed25519; 0 for RSA.
[[nodiscard]] std::size_t coordinate_size(KeyType type);

struct RsaBounds {
  int min_bits;
  int max_bits;
};
// A stranger chooses the proof's key, and a modulus of 16,384 bits would burn our CPU; an issuer's key is the
// operator's choice.
inline constexpr RsaBounds kProofRsaBounds{2048, 4096};
inline constexpr RsaBounds kIssuerRsaBounds{2048, 8192};

class PublicKey {
 public:
  // Big-endian numbers; leading zero octets are dropped. Errors say which check failed, never the key.
  // The exponent is odd and between 3 and 2^32 + 1. Moduli of the ROCA generator (CVE-2017-15361) are
  // refused.
  [[nodiscard]] static std::expected<PublicKey, std::string> rsa(std::string_view n, std::string_view e,
                                                                 RsaBounds bounds);
  // `type` is one of the curves; x and y have exactly coordinate_size() bytes; the point has to lie on the
  // curve.
  [[nodiscard]] static std::expected<PublicKey, std::string> ec(KeyType type, std::string_view x,
                                                                std::string_view y);
  [[nodiscard]] static std::expected<PublicKey, std::string> ed25519(std::string_view x);

  [[nodiscard]] KeyType type() const;
  // Of the modulus; 0 for other types.
  [[nodiscard]] int rsa_bits() const;
  // n and e for RSA, x and y for a curve, x and nothing for Ed25519.
  [[nodiscard]] std::string_view first() const;
  [[nodiscard]] std::string_view second() const;

  // OpenSSL's side of the key; for crypto/'s own files.
  struct State;
  [[nodiscard]] const State& state() const { return *state_; }

 private:
  explicit PublicKey(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

}  // namespace holdfast::crypto
