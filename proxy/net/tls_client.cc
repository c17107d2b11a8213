#include "net/tls_client.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "net/socket.h"
#include "net/tls_context.h"

namespace holdfast::net {

std::expected<std::shared_ptr<const TlsClientContext>, std::string> TlsClientContext::create(
    const TlsClientConfig& config) {
  const std::shared_ptr<TlsClientContext> made(new TlsClientContext);
  made->context_ = SSL_CTX_new(TLS_client_method());
  SSL_CTX* const context = made->context_;
  if (context == nullptr || !set_intermediate(context)) return std::unexpected("TLS: " + openssl_error());
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  ERR_clear_error();
  if (config.ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(context) != 1) {
      return std::unexpected("the system's certificate store: " + openssl_error());
    }
  } else if (SSL_CTX_load_verify_file(context, config.ca.c_str()) != 1) {
    return std::unexpected(config.ca + ": no certificates in PEM: " + openssl_error());
  }
  if (!config.certificate.empty()) {
    if (std::string error = use_certificate(context, config.certificate, config.key); !error.empty()) {
      return std::unexpected(std::move(error));
    }
  }
  const std::string alpn = alpn_wire(config.protocols);
  if (!alpn.empty() && SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(alpn.data()),
                                               static_cast<unsigned>(alpn.size())) != 0) {
    return std::unexpected("TLS: " + openssl_error());
  }
  return made;
}

TlsClientContext::~TlsClientContext() {
  SSL_CTX_free(context_);
}

SslPtr TlsClientContext::new_ssl(const std::string& server_name, bool http1_only) const {
  if (server_name.empty()) return nullptr;
  SslPtr ssl(SSL_new(context_));
  if (ssl == nullptr) return nullptr;
  if (http1_only) {
    const std::string alpn = alpn_wire({"http/1.1"});
    if (SSL_set_alpn_protos(ssl.get(), reinterpret_cast<const unsigned char*>(alpn.data()),
                            static_cast<unsigned>(alpn.size())) != 0) {
      return nullptr;
    }
  }
  SSL_set_connect_state(ssl.get());
  if (Endpoint::from(server_name, 0)) {
    // RFC 6066 3: no address literals in SNI.
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server_name.c_str()) != 1) return nullptr;
    return ssl;
  }
  SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (SSL_set1_host(ssl.get(), server_name.c_str()) != 1) return nullptr;
  if (SSL_set_tlsext_host_name(ssl.get(), server_name.c_str()) != 1) return nullptr;
  return ssl;
}

std::string handshake_failure(const SSL* ssl) {
  if (ssl != nullptr) {
    if (const long verdict = SSL_get_verify_result(ssl); verdict != X509_V_OK) {
      ERR_clear_error();
      return std::string("certificate refused: ") + X509_verify_cert_error_string(verdict);
    }
  }
  if (ERR_peek_error() == 0) return "the peer closed the connection";
  return openssl_error();
}

}  // namespace holdfast::net
