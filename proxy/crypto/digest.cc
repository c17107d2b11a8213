// Digests: see the header.
#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <new>
#include <stdexcept>

#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

HashAlgorithm fetch(const char* name) {
  EVP_MD* const md = EVP_MD_fetch(nullptr, name, nullptr);
  if (md == nullptr) throw std::runtime_error(std::string("OpenSSL has no ") + name);
  return {md, static_cast<std::size_t>(EVP_MD_get_size(md))};
}

}  // namespace

const HashAlgorithm& hash_algorithm(Hash hash) {
  static const std::array<HashAlgorithm, 3> algorithms{fetch("SHA2-256"), fetch("SHA2-384"),
                                                       fetch("SHA2-512")};
  return algorithms[static_cast<std::size_t>(hash)];
}

EVP_MD_CTX* thread_digest_context() {
  thread_local const EvpDigestContext context(EVP_MD_CTX_new());
  if (context == nullptr) throw std::bad_alloc();
  return context.get();
}

std::array<std::uint8_t, 20> sha1(std::string_view bytes) {
  static const HashAlgorithm algorithm = fetch("SHA1");
  std::array<std::uint8_t, 20> digest;
  EVP_MD_CTX* const context = thread_digest_context();
  if (EVP_DigestInit_ex2(context, algorithm.md, nullptr) != 1 ||
      EVP_DigestUpdate(context, bytes.data(), bytes.size()) != 1 ||
      EVP_DigestFinal_ex(context, digest.data(), nullptr) != 1) {
    throw std::runtime_error("OpenSSL could not digest");
  }
  return digest;
}

Digest256 sha256(std::string_view bytes) {
  return sha256(std::span(&bytes, 1));
}

Digest256 sha256(std::span<const std::string_view> parts) {
  EVP_MD_CTX* const context = thread_digest_context();
  Digest256 digest;
  bool ok = EVP_DigestInit_ex2(context, hash_algorithm(Hash::kSha256).md, nullptr) == 1;
  for (const std::string_view part : parts)
    ok = ok && EVP_DigestUpdate(context, part.data(), part.size()) == 1;
  ok = ok && EVP_DigestFinal_ex(context, digest.data(), nullptr) == 1;
  // A digest cannot fail but for want of memory; going on with a half-written one would match anything.
  if (!ok) throw std::bad_alloc();
  return digest;
}

Digest256 hmac_sha256(std::string_view key, std::string_view message) {
  Digest256 tag;
  unsigned size = 0;
  if (HMAC(hash_algorithm(Hash::kSha256).md, key.data(), static_cast<int>(key.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), tag.data(),
           &size) == nullptr) {
    throw std::bad_alloc();
  }
  return tag;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace holdfast::crypto
