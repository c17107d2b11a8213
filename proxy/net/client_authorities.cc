#include "net/client_authorities.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string_view>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "net/tls_context.h"

namespace holdfast::net {

namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
struct ContextFree {
  void operator()(X509_STORE_CTX* context) const { X509_STORE_CTX_free(context); }
};
struct StackFree {
  void operator()(STACK_OF(X509) * certificates) const { sk_X509_pop_free(certificates, X509_free); }
};
struct CertificateFree {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

}  // namespace

std::expected<ClientAuthorities, std::string> ClientAuthorities::load(const std::string& path) {
  const auto pem = read_pem(path);
  if (!pem) return std::unexpected(pem.error());
  const auto bundle = crypto::read_bundle(*pem);
  if (!bundle || bundle->authorities == 0) return std::unexpected(path + ": no CA certificate in PEM");
  ClientAuthorities made;
  made.digest_ = crypto::sha256(*pem);
  made.store_.reset(X509_STORE_new());
  made.names_.reset(sk_X509_NAME_new_null());
  const std::unique_ptr<BIO, BioFree> in(BIO_new_mem_buf(pem->data(), static_cast<int>(pem->size())));
  if (made.store_ == nullptr || made.names_ == nullptr || in == nullptr) {
    return std::unexpected("TLS: " + openssl_error());
  }
  while (const std::unique_ptr<X509, CertificateFree> certificate{
      PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    X509_NAME* const name = X509_NAME_dup(X509_get_subject_name(certificate.get()));
    if (name == nullptr || X509_STORE_add_cert(made.store_.get(), certificate.get()) != 1 ||
        sk_X509_NAME_push(made.names_.get(), name) == 0) {
      X509_NAME_free(name);
      return std::unexpected(path + ": " + openssl_error());
    }
  }
  ERR_clear_error();
  return made;
}

std::string ClientAuthorities::objection(std::string_view chain_pem, std::chrono::sys_seconds at) const {
  const std::unique_ptr<BIO, BioFree> in(
      BIO_new_mem_buf(chain_pem.data(), static_cast<int>(chain_pem.size())));
  const std::unique_ptr<STACK_OF(X509), StackFree> sent(sk_X509_new_null());
  const std::unique_ptr<X509_STORE_CTX, ContextFree> context(X509_STORE_CTX_new());
  if (in == nullptr || sent == nullptr || context == nullptr) return "out of memory";
  const std::unique_ptr<X509, CertificateFree> own(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
  if (own == nullptr) {
    ERR_clear_error();
    return "no certificate in PEM";
  }
  while (X509* const more = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
    if (sk_X509_push(sent.get(), more) == 0) X509_free(more);
  }
  ERR_clear_error();
  if (X509_STORE_CTX_init(context.get(), store_.get(), own.get(), sent.get()) != 1 ||
      X509_STORE_CTX_set_default(context.get(), "ssl_client") != 1) {
    return openssl_error();
  }
  X509_STORE_CTX_set_time(context.get(), 0, std::chrono::system_clock::to_time_t(at));
  if (X509_verify_cert(context.get()) == 1) return {};
  return X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
}

bool ClientAuthorities::demand(SSL_CTX* context, bool required) const {
  // A session may be resumed only where what was demanded of its client is what is demanded here: a ticket
  // holds the client's identity, and another listener, or this one under another CA, would take it unchecked.
  std::array<std::string_view, 3> parts{"holdfast 1", crypto::as_text(digest_),
                                        store_ == nullptr ? "none"
                                        : required        ? "required"
                                                          : "optional"};
  const crypto::Digest256 id = crypto::sha256(parts);
  static_assert(sizeof(id) <= SSL_MAX_SID_CTX_LENGTH);
  if (SSL_CTX_set_session_id_context(context, id.data(), id.size()) != 1) return false;
  if (store_ == nullptr) return true;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  STACK_OF(X509_NAME)* const names = SSL_dup_CA_list(names_.get());
  if (names == nullptr) return false;
  SSL_CTX_set_client_CA_list(context, names);
  // The store for verifying alone: a context's other store would lend its certificates to our own chain.
  return SSL_CTX_set1_verify_cert_store(context, store_.get()) == 1;
}

}  // namespace holdfast::net
