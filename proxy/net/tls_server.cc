#include "net/tls_server.h"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "net/client_authorities.h"
#include "net/socket.h"
#include "net/tls_context.h"

namespace holdfast::net {

namespace {

struct NamesFree {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

std::string address_text(std::string_view bytes) {
  sockaddr_storage storage{};
  if (bytes.size() == 4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(storage);
    v4.sin_family = AF_INET;
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&v4.sin_addr));
    return Endpoint(reinterpret_cast<const sockaddr*>(&storage), sizeof(v4)).ip();
  }
  if (bytes.size() == 16) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(storage);
    v6.sin6_family = AF_INET6;
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(&v6.sin6_addr));
    return Endpoint(reinterpret_cast<const sockaddr*>(&storage), sizeof(v6)).ip();
  }
  return {};
}

// RFC 9525: only the subjectAltName counts, never the common name.
std::vector<std::string> subject_names(X509* certificate) {
  std::vector<std::string> found;
  const std::unique_ptr<GENERAL_NAMES, NamesFree> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const ASN1_STRING* const value =
        name->type == GEN_DNS ? name->d.dNSName : static_cast<const ASN1_STRING*>(name->d.iPAddress);
    const std::string_view bytes(reinterpret_cast<const char*>(ASN1_STRING_get0_data(value)),
                                 static_cast<std::size_t>(ASN1_STRING_length(value)));
    std::string text = name->type == GEN_DNS ? to_lower(bytes) : address_text(bytes);
    // A NUL inside a name is an attack on those who compare C strings.
    if (!text.empty() && !text.contains('\0')) found.push_back(std::move(text));
  }
  return found;
}

std::time_t expiry(X509* certificate) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) != 1) return 0;
  return timegm(&parts);
}

// RFC 9525 6.3: "*." stands for exactly one label.
bool covers(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return iequals(pattern, host);
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && iequals(pattern.substr(1), host.substr(dot));
}

}  // namespace

struct TlsServerContext::Callbacks {
  static int server_name(SSL* ssl, int*, void* self) {
    const auto& context = *static_cast<const TlsServerContext*>(self);
    const char* const asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    if (asked == nullptr) return SSL_TLSEXT_ERR_NOACK;
    const auto chosen = context.chosen_for(asked);
    if (!chosen) return SSL_TLSEXT_ERR_NOACK;
    if (SSL_get_SSL_CTX(ssl) != context.contexts_[*chosen]) SSL_set_SSL_CTX(ssl, context.contexts_[*chosen]);
    return SSL_TLSEXT_ERR_OK;
  }

  // RFC 7301 3.2: our preference among what the client offers; a client that offers only what we don't speak
  // is told so.
  static int select_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                             const unsigned char* offered, unsigned offered_size, void* self) {
    const std::string& ours = static_cast<const TlsServerContext*>(self)->alpn_;
    unsigned char* selected = nullptr;
    if (SSL_select_next_proto(&selected, size, reinterpret_cast<const unsigned char*>(ours.data()),
                              static_cast<unsigned>(ours.size()), offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED) {
      return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = selected;
    return SSL_TLSEXT_ERR_OK;
  }

  // SSL_CTX_set_session_ticket_cb(3). A ticket says who the client proved to be when it was made. A
  // certificate that has expired since must not live on in it: the client has to show one again.
  static SSL_TICKET_RETURN opened_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t,
                                         SSL_TICKET_STATUS status, void*) {
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    const X509* const client = SSL_SESSION_get0_peer(session);
    if (client != nullptr && X509_cmp_current_time(X509_get0_notAfter(client)) <= 0) {
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
  }
};

std::expected<std::shared_ptr<const TlsServerContext>, std::string> TlsServerContext::create(
    const TlsServerConfig& config) {
  if (config.certificates.empty()) return std::unexpected("no certificate");
  const std::shared_ptr<TlsServerContext> made(new TlsServerContext);
  made->alpn_ = alpn_wire(config.protocols);
  made->config_ = config;
  // Before they are read for good: what changes meanwhile must look changed afterwards.
  made->files_digest_ = files_digest(config);
  ClientAuthorities authorities;
  if (config.client_auth != ClientAuth::kNone) {
    auto loaded = ClientAuthorities::load(config.client_ca);
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    authorities = std::move(*loaded);
  }
  for (const TlsServerConfig::Certificate& entry : config.certificates) {
    SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
    if (context == nullptr) return std::unexpected("TLS: " + openssl_error());
    made->contexts_.push_back(context);
    if (!set_intermediate(context)) return std::unexpected("TLS: " + openssl_error());
    SSL_CTX_set_min_proto_version(context,
                                  config.min_version == TlsVersion::k13 ? TLS1_3_VERSION : TLS1_2_VERSION);
    // Tickets carry all state: there is no cache to lock, and workers resume each other's sessions.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(context, 0);
    if (!config.session_tickets) {
      SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
      SSL_CTX_set_num_tickets(context, 0);
    } else if (config.ticket_keys != nullptr) {
      config.ticket_keys->install(context);
    }
    SSL_CTX_set_session_ticket_cb(context, nullptr, &Callbacks::opened_ticket, nullptr);
    if (!authorities.demand(context, config.client_auth == ClientAuth::kRequired)) {
      return std::unexpected("TLS: " + openssl_error());
    }
    SSL_CTX_set_tlsext_servername_callback(context, &Callbacks::server_name);
    SSL_CTX_set_tlsext_servername_arg(context, made.get());
    if (!made->alpn_.empty()) SSL_CTX_set_alpn_select_cb(context, &Callbacks::select_protocol, made.get());

    if (std::string error = use_certificate(context, entry.certificate, entry.key); !error.empty()) {
      return std::unexpected(std::move(error));
    }
    X509* const leaf = SSL_CTX_get0_certificate(context);
    made->facts_.push_back({entry.certificate,
                            std::make_shared<const std::vector<std::string>>(subject_names(leaf)),
                            expiry(leaf)});
  }
  return made;
}

crypto::Digest256 TlsServerContext::files_digest(const TlsServerConfig& config) {
  std::vector<std::string> paths;
  for (const TlsServerConfig::Certificate& entry : config.certificates) {
    paths.push_back(entry.certificate);
    paths.push_back(entry.key);
  }
  if (config.client_auth != ClientAuth::kNone) paths.push_back(config.client_ca);
  std::string digests;
  for (const std::string& path : paths) {
    std::expected<std::string, std::string> text = read_pem(path);
    digests += text ? 'f' : 'e';
    digests += crypto::as_text(crypto::sha256(text ? *text : text.error()));
    if (text) OPENSSL_cleanse(text->data(), text->size());  // a key may have been among them
  }
  return crypto::sha256(digests);
}

TlsServerContext::~TlsServerContext() {
  for (SSL_CTX* const context : contexts_) SSL_CTX_free(context);
}

SslPtr TlsServerContext::new_ssl() const {
  SslPtr ssl(SSL_new(contexts_.front()));
  if (ssl != nullptr) SSL_set_accept_state(ssl.get());
  return ssl;
}

std::optional<std::size_t> TlsServerContext::chosen_for(std::string_view host) const {
  // An exact name goes before a wildcard, whatever the order of the certificates.
  for (const bool wildcard : {false, true}) {
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      for (const std::string& name : *facts_[i].names) {
        if (name.starts_with("*.") == wildcard && covers(name, host)) return i;
      }
    }
  }
  return std::nullopt;
}

TlsServerContext::Names TlsServerContext::served_names(const SSL* ssl) const {
  const SSL_CTX* const context = SSL_get_SSL_CTX(ssl);
  const auto at = std::find(contexts_.begin(), contexts_.end(), context);
  return facts_[at == contexts_.end() ? 0 : static_cast<std::size_t>(at - contexts_.begin())].names;
}

std::optional<crypto::CertificateIdentity> TlsServerContext::client_identity(const SSL* ssl) const {
  if (config_.client_auth == ClientAuth::kNone || SSL_get_verify_result(ssl) != X509_V_OK)
    return std::nullopt;
  const X509* const certificate = SSL_get0_peer_certificate(ssl);
  if (certificate == nullptr) return std::nullopt;
  return crypto::identity_of(certificate);
}

std::string_view negotiated_protocol(const SSL* ssl) {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl, &name, &size);
  return {reinterpret_cast<const char*>(name), size};
}

}  // namespace holdfast::net
