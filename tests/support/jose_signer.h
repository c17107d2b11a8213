// Keys, proofs and access tokens as clients and issuers of other make would produce them: OpenSSL's EVP
// directly and no line shared with proxy/, so that a mistake made there cannot be repeated here and pass for
// agreement. Everything is written as given: a test that wants a duplicate member, a wrong type or a missing
// claim sets it. RFC 7515 (JWS), RFC 7517 (JWK), RFC 7638 (thumbprint), RFC 9449 4.2 (proof). Not thread-safe
// while being changed.
#pragma once

#include <openssl/evp.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::support {

[[nodiscard]] std::string base64url(std::string_view bytes);
[[nodiscard]] std::string base64url_decode(std::string_view text);
[[nodiscard]] std::string sha256(std::string_view bytes);
[[nodiscard]] std::string random_id();
[[nodiscard]] std::int64_t unix_now();
[[nodiscard]] std::string json_string(std::string_view text);

// An ordered JSON object whose member values are raw JSON text.
class Members {
 public:
  Members& raw(std::string_view name, std::string value);
  Members& text(std::string_view name, std::string_view value);
  Members& number(std::string_view name, std::int64_t value);
  Members& erase(std::string_view name);
  Members& repeat(std::string_view name, std::string value);  // adds the name again: a duplicate member
  [[nodiscard]] std::string json() const;

 private:
  std::vector<std::pair<std::string, std::string>> members_;
};

// A private key bound to one JOSE algorithm.
class SigningKey {
 public:
  SigningKey() = default;
  static SigningKey generate(std::string_view alg, int rsa_bits = 2048);
  static SigningKey from_pem(std::string_view alg, const std::string& file);
  void write_pem(const std::string& file) const;

  [[nodiscard]] const std::string& alg() const { return alg_; }
  // The public JWK with its required members only, in RFC 7638 order: also the thumbprint's input.
  [[nodiscard]] const std::string& public_jwk() const { return jwk_; }
  [[nodiscard]] std::string private_jwk() const;  // with `d`: what a client must never send
  [[nodiscard]] std::string thumbprint() const;
  [[nodiscard]] std::string sign(std::string_view signing_input) const;
  [[nodiscard]] EVP_PKEY* get() const { return key_.get(); }

 private:
  SigningKey(std::string_view alg, EVP_PKEY* key);

  std::string alg_;
  std::shared_ptr<EVP_PKEY> key_;
  std::string jwk_;
};

[[nodiscard]] std::string compact_jws(std::string_view header, std::string_view payload,
                                      const SigningKey& key);

// A proof in the making: filled in correctly, then spoiled by the test, then signed.
struct Proof {
  Members header;
  Members payload;

  Proof(const SigningKey& key, std::string_view method, std::string_view url, std::string_view token);
  [[nodiscard]] std::string sign(const SigningKey& key) const;
};

// An access token in the making, shaped as Keycloak's: header typ `JWT`, payload typ `DPoP` when bound.
struct AccessToken {
  Members header;
  Members payload;

  AccessToken(std::string_view issuer, std::string_view audience, std::string_view kid, std::string_view alg);
  AccessToken& bind(const SigningKey& client);
  [[nodiscard]] std::string sign(const SigningKey& issuer_key) const;
};

}  // namespace holdfast::support
