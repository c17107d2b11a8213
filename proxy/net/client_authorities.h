// The certificates that clients' certificates must lead up to (`client_ca`), read from one file of PEM once
// and given to every context of a listener. Control thread only.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

namespace holdfast::net {

class ClientAuthorities {
 public:
  // None: no client is asked for a certificate.
  ClientAuthorities() = default;
  // The error is a sentence for the operator that names the file.
  [[nodiscard]] static std::expected<ClientAuthorities, std::string> load(const std::string& path);

  // What a handshake at that time would say against a client that shows this chain of PEM; empty: nothing.
  // Where there are some.
  [[nodiscard]] std::string objection(std::string_view chain_pem, std::chrono::sys_seconds at) const;

  // Has the context ask its clients for a certificate, and refuse those that show a wrong one, or, where it
  // is `required`, none. False: out of memory.
  [[nodiscard]] bool demand(SSL_CTX* context, bool required) const;

 private:
  struct StoreFree {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };
  struct NamesFree {
    void operator()(STACK_OF(X509_NAME) * names) const { sk_X509_NAME_pop_free(names, X509_NAME_free); }
  };

  std::unique_ptr<X509_STORE, StoreFree> store_;
  std::unique_ptr<STACK_OF(X509_NAME), NamesFree>
      names_;                              // told to clients, so that they choose the right one
  std::array<std::uint8_t, 32> digest_{};  // of the file
};

}  // namespace holdfast::net
