// A private signature key, for the commands `proof` and `keygen` and for what Holdfast itself signs. Never
// printed: the PEM comes as a Secret. Signing draws randomness from OpenSSL, so rings 0 and 1 do not call it.
// Any thread.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "crypto/public_key.h"
#include "crypto/signature.h"

namespace holdfast::crypto {

class PrivateKey {
 public:
  // Unencrypted PEM, PKCS #8 or the traditional forms. Errors never quote the text.
  [[nodiscard]] static std::expected<PrivateKey, std::string> from_pem(std::string_view pem);
  // A fresh key that fits `algorithm`; RSA gets 2048 bits.
  [[nodiscard]] static std::expected<PrivateKey, std::string> generate(SignatureAlgorithm algorithm);

  [[nodiscard]] const PublicKey& public_key() const { return public_key_; }
  // PKCS #8.
  [[nodiscard]] std::expected<Secret, std::string> to_pem() const;
  // In JOSE's form, as verify() takes it.
  [[nodiscard]] std::expected<std::string, std::string> sign(SignatureAlgorithm algorithm,
                                                             std::string_view message) const;

 private:
  PrivateKey(std::shared_ptr<void> key, PublicKey public_key)
      : key_(std::move(key)), public_key_(std::move(public_key)) {}

  std::shared_ptr<void> key_;  // EVP_PKEY
  PublicKey public_key_;
};

}  // namespace holdfast::crypto
