// Private keys: see the header.
#include "crypto/private_key.h"

#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <optional>

#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using Bignum = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Freer<ECDSA_SIG_free>>;

unsigned char* octets(std::string& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

std::optional<std::string> number_parameter(const EVP_PKEY* key, const char* name, std::size_t size) {
  BIGNUM* taken = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &taken) != 1) return std::nullopt;
  const Bignum number(taken);
  std::string bytes(size == 0 ? static_cast<std::size_t>(BN_num_bytes(number.get())) : size, '\0');
  if (BN_bn2binpad(number.get(), octets(bytes), static_cast<int>(bytes.size())) < 0) return std::nullopt;
  return bytes;
}

std::optional<KeyType> curve_of(const EVP_PKEY* key) {
  char name[64];
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name, sizeof name, &size) != 1) return std::nullopt;
  const std::string_view curve(name, size);
  if (curve == "prime256v1") return KeyType::kP256;
  if (curve == "secp384r1") return KeyType::kP384;
  if (curve == "secp521r1") return KeyType::kP521;
  return std::nullopt;
}

std::expected<PublicKey, std::string> public_half(const EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA") == 1) {
    const auto n = number_parameter(key, OSSL_PKEY_PARAM_RSA_N, 0);
    const auto e = number_parameter(key, OSSL_PKEY_PARAM_RSA_E, 0);
    if (!n || !e) return std::unexpected("an RSA key that could not be read");
    return PublicKey::rsa(*n, *e, kIssuerRsaBounds);
  }
  if (EVP_PKEY_is_a(key, "EC") == 1) {
    const auto curve = curve_of(key);
    if (!curve) return std::unexpected("a key on a curve other than P-256, P-384 and P-521");
    const auto x = number_parameter(key, OSSL_PKEY_PARAM_EC_PUB_X, coordinate_size(*curve));
    const auto y = number_parameter(key, OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_size(*curve));
    if (!x || !y) return std::unexpected("an EC key that could not be read");
    return PublicKey::ec(*curve, *x, *y);
  }
  if (EVP_PKEY_is_a(key, "ED25519") == 1) {
    std::string x(coordinate_size(KeyType::kEd25519), '\0');
    std::size_t size = x.size();
    if (EVP_PKEY_get_raw_public_key(key, octets(x), &size) != 1)
      return std::unexpected("an Ed25519 key that could not be read");
    return PublicKey::ed25519(x);
  }
  return std::unexpected("a key that is neither RSA, EC nor Ed25519");
}

// Never asks anyone for a passphrase: a service has nobody to ask.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

std::optional<std::string> raw_from_der(const std::string& der, std::size_t size) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const EcdsaSignature parsed(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (parsed == nullptr) return std::nullopt;
  std::string raw(2 * size, '\0');
  if (BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), octets(raw), static_cast<int>(size)) < 0 ||
      BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), octets(raw) + size, static_cast<int>(size)) < 0) {
    return std::nullopt;
  }
  return raw;
}

}  // namespace

std::expected<PrivateKey, std::string> PrivateKey::from_pem(std::string_view pem) {
  const ErrorQueueSweep sweep;
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  EvpKey key(bio == nullptr ? nullptr : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (key == nullptr) return std::unexpected("no unencrypted private key in PEM form");
  auto half = public_half(key.get());
  if (!half) return std::unexpected(std::move(half).error());
  return PrivateKey(
      std::shared_ptr<void>(key.release(), [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }),
      *std::move(half));
}

std::expected<PrivateKey, std::string> PrivateKey::generate(SignatureAlgorithm algorithm) {
  const ErrorQueueSweep sweep;
  EvpKey key;
  switch (signature_row(algorithm).curve) {
    case KeyType::kRsa:
      key.reset(EVP_RSA_gen(2048U));
      break;
    case KeyType::kP256:
      key.reset(EVP_EC_gen("P-256"));
      break;
    case KeyType::kP384:
      key.reset(EVP_EC_gen("P-384"));
      break;
    case KeyType::kP521:
      key.reset(EVP_EC_gen("P-521"));
      break;
    case KeyType::kEd25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  if (key == nullptr) return std::unexpected("OpenSSL could not make a key");
  auto half = public_half(key.get());
  if (!half) return std::unexpected(std::move(half).error());
  return PrivateKey(
      std::shared_ptr<void>(key.release(), [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); }),
      *std::move(half));
}

std::expected<Secret, std::string> PrivateKey::to_pem() const {
  const ErrorQueueSweep sweep;
  const Bio bio(BIO_new(BIO_s_secmem()));
  char* text = nullptr;
  if (bio == nullptr || PEM_write_bio_PKCS8PrivateKey(bio.get(), static_cast<EVP_PKEY*>(key_.get()), nullptr,
                                                      nullptr, 0, nullptr, nullptr) != 1) {
    return std::unexpected("OpenSSL could not write the key");
  }
  const long size = BIO_get_mem_data(bio.get(), &text);
  return Secret(std::string(text, static_cast<std::size_t>(size)));
}

std::expected<std::string, std::string> PrivateKey::sign(SignatureAlgorithm algorithm,
                                                         std::string_view message) const {
  const ErrorQueueSweep sweep;
  const SignatureRow& row = signature_row(algorithm);
  if (!fits(algorithm, public_key_.type())) return std::unexpected("the key does not fit the algorithm");
  const EvpDigestContext context(EVP_MD_CTX_new());
  EVP_PKEY_CTX* parameters = nullptr;  // belongs to `context`
  const EVP_MD* const md = row.curve == KeyType::kEd25519 ? nullptr : hash_algorithm(row.hash).md;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), &parameters, md, nullptr, static_cast<EVP_PKEY*>(key_.get())) != 1 ||
      (row.is_rsa && !set_rsa_parameters(parameters, row))) {
    return std::unexpected("OpenSSL could not set up the signature");
  }
  const auto* const text = reinterpret_cast<const unsigned char*>(message.data());
  std::size_t size = 0;
  std::string signature;
  bool ok = EVP_DigestSign(context.get(), nullptr, &size, text, message.size()) == 1;
  signature.resize(size);
  ok = ok && EVP_DigestSign(context.get(), octets(signature), &size, text, message.size()) == 1;
  if (!ok) return std::unexpected("OpenSSL could not sign");
  signature.resize(size);
  if (row.is_rsa || row.curve == KeyType::kEd25519) return signature;
  auto raw = raw_from_der(signature, coordinate_size(row.curve));
  if (!raw) return std::unexpected("OpenSSL wrote an odd signature");
  return *std::move(raw);
}

}  // namespace holdfast::crypto
