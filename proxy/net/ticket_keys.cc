#include "net/ticket_keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "crypto/random.h"

namespace holdfast::net {

namespace {

struct Key {
  std::array<unsigned char, 16> name;  // sent in the open, to find the key again
  std::array<unsigned char, 32> cipher;
  std::array<unsigned char, 32> mac;
};
static_assert(sizeof(Key) == 80);

constexpr std::size_t kMostKeys = 2;

const EVP_CIPHER* aes_256_cbc() {
  // Fetched once: in OpenSSL 3.0 a fetch for each ticket is a walk under a lock.
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  return cipher;
}

bool set_mac(EVP_MAC_CTX* context, const Key& key) {
  char digest[] = "SHA256";
  const std::array<OSSL_PARAM, 3> parameters{
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<unsigned char*>(key.mac.data()),
                                        key.mac.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(context, parameters.data()) == 1;
}

}  // namespace

struct TicketKeys::Ring {
  std::array<Key, kMostKeys> keys;  // the newest first
  std::size_t count = 0;

  Ring() = default;
  ~Ring() { OPENSSL_cleanse(keys.data(), sizeof(keys)); }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
};

struct TicketKeys::Callbacks {
  // SSL_CTX_set_tlsext_ticket_key_evp_cb(3). 1: done, 2: done, and the ticket is to be renewed, 0: a ticket
  // of an unknown key, so a full handshake; -1: the connection fails.
  static int seal_or_open(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                          EVP_MAC_CTX* mac, int seal) {
    const auto& self = *static_cast<const TicketKeys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
    const std::shared_ptr<const Ring> ring = self.ring();
    if (seal == 1) {
      const Key& key = ring->keys[0];
      std::memcpy(name, key.name.data(), key.name.size());
      if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(aes_256_cbc())) != 1 ||
          EVP_EncryptInit_ex2(cipher, aes_256_cbc(), key.cipher.data(), iv, nullptr) != 1 ||
          !set_mac(mac, key)) {
        return -1;
      }
      return 1;
    }
    for (std::size_t i = 0; i < ring->count; ++i) {
      const Key& key = ring->keys[i];
      if (std::memcmp(name, key.name.data(), key.name.size()) != 0) continue;
      if (!set_mac(mac, key) ||
          EVP_DecryptInit_ex2(cipher, aes_256_cbc(), key.cipher.data(), iv, nullptr) != 1) {
        return -1;
      }
      // In TLS 1.3 clients use a ticket once (RFC 8446 C.4).
      return i == 0 && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2;
    }
    return 0;
  }
};

TicketKeys::TicketKeys() {
  rotate();
}

TicketKeys::~TicketKeys() = default;

void TicketKeys::rotate() {
  const std::shared_ptr<const Ring> before = ring();
  const auto made = std::make_shared<Ring>();
  std::string random = crypto::random_bytes(sizeof(Key));
  std::memcpy(&made->keys[0], random.data(), sizeof(Key));
  OPENSSL_cleanse(random.data(), random.size());
  made->count = 1;
  if (before != nullptr) {
    made->keys[1] = before->keys[0];
    made->count = 2;
  }
  replace(made);
}

Secret TicketKeys::export_ring() const {
  const std::shared_ptr<const Ring> ring = this->ring();
  return Secret(std::string(reinterpret_cast<const char*>(ring->keys.data()), ring->count * sizeof(Key)));
}

bool TicketKeys::import_ring(const Secret& exported) {
  const std::string_view bytes = exported.reveal();
  const std::size_t count = bytes.size() / sizeof(Key);
  if (count == 0 || count > kMostKeys || bytes.size() != count * sizeof(Key)) return false;
  const auto made = std::make_shared<Ring>();
  std::memcpy(made->keys.data(), bytes.data(), bytes.size());
  made->count = count;
  replace(made);
  return true;
}

void TicketKeys::install(SSL_CTX* context) const {
  SSL_CTX_set_app_data(context, const_cast<TicketKeys*>(this));
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &Callbacks::seal_or_open);
}

std::shared_ptr<const TicketKeys::Ring> TicketKeys::ring() const {
  const std::lock_guard lock(mutex_);
  return ring_;
}

void TicketKeys::replace(std::shared_ptr<const Ring> ring) {
  const std::lock_guard lock(mutex_);
  ring_ = std::move(ring);
}

}  // namespace holdfast::net
