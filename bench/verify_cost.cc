// See verify_cost.h. A hundred keys take turns, as in the measured runs, so that no key's data stays in the
// nearest cache.
#include "verify_cost.h"

#include <openssl/evp.h>

#include <ctime>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/jose_signer.h"

namespace holdfast::bench {
namespace {

double thread_cpu_nanoseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

struct Signed {
  support::SigningKey key;
  std::string der;
};

std::string sign_der(const support::SigningKey& key, const std::string& message) {
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  std::string signature(128, '\0');
  std::size_t size = signature.size();
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     reinterpret_cast<const unsigned char*>(message.data()), message.size()) != 1) {
    throw std::runtime_error("signing failed");
  }
  signature.resize(size);
  return signature;
}

}  // namespace

double es256_verify_nanoseconds(std::size_t rounds) {
  const std::string message(430, 'p');
  std::vector<Signed> signatures;
  for (int i = 0; i < 100; ++i) {
    auto key = support::SigningKey::generate("ES256");
    std::string der = sign_der(key, message);
    signatures.push_back({std::move(key), std::move(der)});
  }
  const double began = thread_cpu_nanoseconds();
  for (std::size_t i = 0; i < rounds; ++i) {
    const Signed& entry = signatures[i % signatures.size()];
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    const bool good =
        EVP_DigestVerifyInit(context, nullptr, EVP_sha256(), nullptr, entry.key.get()) == 1 &&
        EVP_DigestVerify(context, reinterpret_cast<const unsigned char*>(entry.der.data()), entry.der.size(),
                         reinterpret_cast<const unsigned char*>(message.data()), message.size()) == 1;
    EVP_MD_CTX_free(context);
    if (!good) throw std::runtime_error("a good signature did not verify");
  }
  return (thread_cpu_nanoseconds() - began) / static_cast<double>(rounds);
}

}  // namespace holdfast::bench
