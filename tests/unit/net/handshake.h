// A handshake in memory between a server of ours and any client, and a client that keeps the session it was
// given.
#pragma once

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <string>
#include <utility>

#include "net/tls_client.h"
#include "net/tls_server.h"

namespace holdfast::testing {

struct Handshake {
  bool done = false;
  std::string error;
};

inline Handshake shake_hands(SSL* server, SSL* client) {
  BIO* a = nullptr;
  BIO* b = nullptr;
  BIO_new_bio_pair(&a, 1 << 16, &b, 1 << 16);
  SSL_set_bio(server, a, a);
  SSL_set_bio(client, b, b);
  for (int i = 0; i < 20; ++i) {
    ERR_clear_error();
    const int client_result = SSL_do_handshake(client);
    if (client_result != 1 && SSL_get_error(client, client_result) != SSL_ERROR_WANT_READ) {
      return {false, net::handshake_failure(client)};
    }
    ERR_clear_error();
    const int server_result = SSL_do_handshake(server);
    if (server_result != 1 && SSL_get_error(server, server_result) != SSL_ERROR_WANT_READ) {
      return {false, "server: " + net::handshake_failure(server)};
    }
    if (client_result == 1 && server_result == 1) return {true, {}};
  }
  return {false, "no end"};
}

// Trusts every server. What it is given to resume by, it offers the next time.
class ResumingClient {
 public:
  explicit ResumingClient(int max_version = TLS1_3_VERSION) : context_(SSL_CTX_new(TLS_client_method())) {
    SSL_CTX_set_max_proto_version(context_, max_version);
    SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_set_app_data(context_, this);
    SSL_CTX_sess_set_new_cb(context_, [](SSL* ssl, SSL_SESSION* session) {
      auto* const self = static_cast<ResumingClient*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
      SSL_SESSION_free(std::exchange(self->session_, session));
      return 1;
    });
  }
  ~ResumingClient() {
    SSL_SESSION_free(session_);
    SSL_CTX_free(context_);
  }
  ResumingClient(const ResumingClient&) = delete;
  ResumingClient& operator=(const ResumingClient&) = delete;

  void use(const std::string& certificate, const std::string& key) {
    SSL_CTX_use_certificate_chain_file(context_, certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context_, key.c_str(), SSL_FILETYPE_PEM);
  }
  // A new connection to `server`, which has been given the SSL of its side.
  Handshake connect(SSL* server, const char* server_name = nullptr) {
    const net::SslPtr client(SSL_new(context_));
    SSL_set_connect_state(client.get());
    if (server_name != nullptr) SSL_set_tlsext_host_name(client.get(), server_name);
    if (session_ != nullptr) SSL_set_session(client.get(), session_);
    Handshake result = shake_hands(server, client.get());
    char byte = 0;
    if (result.done) (void)SSL_read(client.get(), &byte, 1);  // takes the tickets in
    // A ticket that TLS 1.2 renewed is told to nobody.
    if (result.done && SSL_version(client.get()) == TLS1_2_VERSION) {
      SSL_SESSION_free(std::exchange(session_, SSL_get1_session(client.get())));
    }
    SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    ERR_clear_error();
    return result;
  }
  [[nodiscard]] SSL_SESSION* session() const { return session_; }

 private:
  SSL_CTX* context_;
  SSL_SESSION* session_ = nullptr;
};

}  // namespace holdfast::testing
