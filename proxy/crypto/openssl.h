// Owners for OpenSSL's objects and the key's hidden half, for crypto/'s own .cc files alone.
//
// OpenSSL 3.0 looks an algorithm up under a lock each time that a context is set up. A key therefore keeps
// one context that is ready to verify; whoever wants it takes it out with one atomic exchange, and a second
// thread at the same moment makes its own.
#pragma once

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <atomic>
#include <memory>
#include <string>

#include "crypto/public_key.h"
#include "crypto/signature.h"

namespace holdfast::crypto {

template <auto kFree>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using EvpKey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using EvpKeyContext = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using EvpDigestContext = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;

// What fails in OpenSSL leaves errors in a queue of the thread's, where a TLS stream's SSL_get_error would
// take them for its own and tear down an innocent connection. So each entry into crypto/ sweeps behind
// itself.
struct ErrorQueueSweep {
  ErrorQueueSweep() = default;
  ErrorQueueSweep(const ErrorQueueSweep&) = delete;
  ErrorQueueSweep& operator=(const ErrorQueueSweep&) = delete;
  // Looking first: clearing writes all over the queue, whether or not it holds anything.
  ~ErrorQueueSweep() {
    if (ERR_peek_error() != 0) ERR_clear_error();
  }
};

enum class Hash : std::uint8_t { kSha256, kSha384, kSha512 };

struct HashAlgorithm {
  const EVP_MD* md;
  std::size_t size;
};
// Fetched once for the process. Throws std::runtime_error where OpenSSL has no such hash: it cannot serve at
// all then.
[[nodiscard]] const HashAlgorithm& hash_algorithm(Hash hash);

// A digest context of the calling thread's.
[[nodiscard]] EVP_MD_CTX* thread_digest_context();

// A context that is ready to verify under one algorithm.
struct Verifier {
  SignatureAlgorithm algorithm;
  EvpKeyContext context;
};

struct PublicKey::State {
  EvpKey key;
  KeyType type{};
  int rsa_bits = 0;
  std::string first;
  std::string second;
  mutable std::atomic<Verifier*> spare{nullptr};

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { delete spare.load(); }
};

// What verify() and sign() need to know of an algorithm.
struct SignatureRow {
  SignatureAlgorithm algorithm;
  bool is_rsa;
  KeyType curve;  // where it is not RSA
  Hash hash;      // none for Ed25519
  bool is_pss;
};
[[nodiscard]] const SignatureRow& signature_row(SignatureAlgorithm algorithm);

// Padding, hash and salt on a context that is set up for RSA.
[[nodiscard]] bool set_rsa_parameters(EVP_PKEY_CTX* context, const SignatureRow& row);

}  // namespace holdfast::crypto
