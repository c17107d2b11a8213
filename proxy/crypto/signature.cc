// Verifying signatures: see the header.
#include "crypto/signature.h"

#include <openssl/rsa.h>

#include <array>
#include <cstring>
#include <utility>

#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using enum SignatureAlgorithm;

constexpr auto kRows = std::to_array<SignatureRow>({
    {kEcdsaP256Sha256, false, KeyType::kP256, Hash::kSha256, false},
    {kEcdsaP384Sha384, false, KeyType::kP384, Hash::kSha384, false},
    {kEcdsaP521Sha512, false, KeyType::kP521, Hash::kSha512, false},
    {kRsaPssSha256, true, KeyType::kRsa, Hash::kSha256, true},
    {kRsaPssSha384, true, KeyType::kRsa, Hash::kSha384, true},
    {kRsaPssSha512, true, KeyType::kRsa, Hash::kSha512, true},
    {kRsaPkcs1Sha256, true, KeyType::kRsa, Hash::kSha256, false},
    {kRsaPkcs1Sha384, true, KeyType::kRsa, Hash::kSha384, false},
    {kRsaPkcs1Sha512, true, KeyType::kRsa, Hash::kSha512, false},
    {kEd25519, false, KeyType::kEd25519, Hash::kSha512, false},
});

// The orders of the groups, big-endian (SP 800-186 3.2.1).
std::string_view group_order(KeyType curve) {
  using namespace std::string_view_literals;
  switch (curve) {
    case KeyType::kP256:
      return "\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"
             "\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"sv;
    case KeyType::kP384:
      return "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
             "\xff"
             "\xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73"sv;
    case KeyType::kP521:
      return "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
             "\xff\xff"
             "\xff\xff\xff\xff\xff\xff\xff\xff\xfa\x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09"
             "\xa5\xd0"
             "\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38\x64\x09"sv;
    case KeyType::kRsa:
    case KeyType::kEd25519:
      break;
  }
  return {};
}

// Both of the order's length: they compare as numbers when they compare as bytes.
bool is_valid_scalar(std::string_view number, std::string_view order) {
  return number < order && number.find_first_not_of('\0') != std::string_view::npos;
}

// One ECDSA signature as OpenSSL takes it: SEQUENCE { INTEGER r, INTEGER s }, at most 2 x 66 bytes of
// numbers.
class DerSignature {
 public:
  DerSignature(std::string_view r, std::string_view s) {
    r = significant(r);
    s = significant(s);
    const std::size_t content = integer_size(r) + integer_size(s);
    put(0x30);
    if (content > 0x7F) put(0x81);
    put(content);
    put_integer(r);
    put_integer(s);
  }
  [[nodiscard]] const unsigned char* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  static std::string_view significant(std::string_view number) {
    return number.substr(number.find_first_not_of('\0'));
  }
  // A first bit that is set would make the number negative.
  static bool needs_zero(std::string_view number) {
    return (static_cast<unsigned char>(number.front()) & 0x80) != 0;
  }
  static std::size_t integer_size(std::string_view number) {
    return 2 + number.size() + (needs_zero(number) ? 1 : 0);
  }

  void put(std::size_t octet) { bytes_[size_++] = static_cast<unsigned char>(octet); }
  void put_integer(std::string_view number) {
    put(0x02);
    put(integer_size(number) - 2);
    if (needs_zero(number)) put(0);
    std::memcpy(bytes_.data() + size_, number.data(), number.size());
    size_ += number.size();
  }

  std::array<unsigned char, 3 + 2 * (2 + 1 + 66)> bytes_;
  std::size_t size_ = 0;
};

std::unique_ptr<Verifier> make_verifier(const PublicKey::State& state, const SignatureRow& row) {
  EvpKeyContext context(EVP_PKEY_CTX_new_from_pkey(nullptr, state.key.get(), nullptr));
  if (context == nullptr || EVP_PKEY_verify_init(context.get()) != 1) return nullptr;
  if (row.is_rsa && !set_rsa_parameters(context.get(), row)) return nullptr;
  return std::make_unique<Verifier>(row.algorithm, std::move(context));
}

bool verify_digest(const PublicKey::State& state, const SignatureRow& row, std::string_view message,
                   const unsigned char* signature, std::size_t signature_size) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  const HashAlgorithm& hash = hash_algorithm(row.hash);
  EVP_MD_CTX* const digester = thread_digest_context();
  if (EVP_DigestInit_ex2(digester, hash.md, nullptr) != 1 ||
      EVP_DigestUpdate(digester, message.data(), message.size()) != 1 ||
      EVP_DigestFinal_ex(digester, digest.data(), nullptr) != 1) {
    return false;
  }
  std::unique_ptr<Verifier> verifier(state.spare.exchange(nullptr, std::memory_order_acq_rel));
  if (verifier == nullptr || verifier->algorithm != row.algorithm) verifier = make_verifier(state, row);
  if (verifier == nullptr) return false;
  const bool verified =
      EVP_PKEY_verify(verifier->context.get(), signature, signature_size, digest.data(), hash.size) == 1;
  // Whoever came meanwhile has put one back as well: one is enough.
  delete state.spare.exchange(verifier.release(), std::memory_order_acq_rel);
  return verified;
}

bool verify_ed25519(const PublicKey::State& state, std::string_view message, std::string_view signature) {
  const EvpDigestContext context(EVP_MD_CTX_new());
  return context != nullptr &&
         EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, state.key.get(),
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                          signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                          message.size()) == 1;
}

}  // namespace

const SignatureRow& signature_row(SignatureAlgorithm algorithm) {
  return kRows[static_cast<std::size_t>(algorithm)];
}

bool set_rsa_parameters(EVP_PKEY_CTX* context, const SignatureRow& row) {
  const EVP_MD* const md = hash_algorithm(row.hash).md;
  if (EVP_PKEY_CTX_set_rsa_padding(context, row.is_pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) != 1 ||
      EVP_PKEY_CTX_set_signature_md(context, md) != 1) {
    return false;
  }
  return !row.is_pss || (EVP_PKEY_CTX_set_rsa_mgf1_md(context, md) == 1 &&
                         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1);
}

bool fits(SignatureAlgorithm algorithm, KeyType type) {
  return signature_row(algorithm).curve == type;
}

bool verify(const PublicKey& key, SignatureAlgorithm algorithm, std::string_view message,
            std::string_view signature) {
  if (!fits(algorithm, key.type())) return false;
  const ErrorQueueSweep sweep;
  const SignatureRow& row = signature_row(algorithm);
  const PublicKey::State& state = key.state();
  switch (key.type()) {
    case KeyType::kRsa: {
      const auto modulus_size = static_cast<std::size_t>((key.rsa_bits() + 7) / 8);
      return signature.size() == modulus_size &&
             verify_digest(state, row, message, reinterpret_cast<const unsigned char*>(signature.data()),
                           signature.size());
    }
    case KeyType::kEd25519:
      return signature.size() == 64 && verify_ed25519(state, message, signature);
    case KeyType::kP256:
    case KeyType::kP384:
    case KeyType::kP521:
      break;
  }
  const std::size_t size = coordinate_size(key.type());
  if (signature.size() != 2 * size) return false;
  const std::string_view r = signature.substr(0, size);
  const std::string_view s = signature.substr(size);
  const std::string_view order = group_order(key.type());
  if (!is_valid_scalar(r, order) || !is_valid_scalar(s, order)) return false;
  const DerSignature der(r, s);
  return verify_digest(state, row, message, der.data(), der.size());
}

}  // namespace holdfast::crypto
