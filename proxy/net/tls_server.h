// The TLS server's side of one listener: certificates by SNI, clients' certificates (RFC 8446 4.3.2),
// Mozilla's intermediate ciphers, ALPN, tickets, no early data (a replayed 0-RTT request would be a replayed
// proof), no renegotiation, no compression. Made at start, at a reload and when a certificate's files change,
// by the control thread; immutable after that, used by all workers.
#pragma once

#include <openssl/ssl.h>

#include <ctime>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/certificate.h"
#include "crypto/digest.h"
#include "net/stream.h"
#include "net/ticket_keys.h"

namespace holdfast::net {

enum class TlsVersion : std::uint8_t { k12, k13 };
// Of a client's certificate. kOptional: a client may have none, but not one that does not verify.
enum class ClientAuth : std::uint8_t { kNone, kOptional, kRequired };

struct TlsServerConfig {
  struct Certificate {
    std::string certificate;  // path of a PEM chain, leaf first
    std::string key;          // path of its PEM private key
  };
  std::vector<Certificate>
      certificates;  // the first also serves clients that name no host, or an unknown one
  TlsVersion min_version = TlsVersion::k12;
  ClientAuth client_auth = ClientAuth::kNone;
  std::string client_ca;  // path of the PEM certificates that clients' must lead up to
  bool session_tickets = true;
  std::shared_ptr<const TicketKeys> ticket_keys;            // nullptr: keys of this context's own
  std::vector<std::string> protocols = {"h2", "http/1.1"};  // ALPN, most wanted first
};

class TlsServerContext {
 public:
  using Names = std::shared_ptr<const std::vector<std::string>>;
  struct CertificateFacts {
    std::string path;
    Names names;  // DNS names (may begin with "*.") and IP addresses of the subjectAltName
    std::time_t not_after = 0;
  };

  // The error is a sentence for the operator that names the file.
  [[nodiscard]] static std::expected<std::shared_ptr<const TlsServerContext>, std::string> create(
      const TlsServerConfig& config);
  ~TlsServerContext();
  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  // A server's side for one connection. The context must outlive it. nullptr: out of memory.
  [[nodiscard]] SslPtr new_ssl() const;
  // The names of the certificate that was served on `ssl`; to be asked after the handshake.
  [[nodiscard]] Names served_names(const SSL* ssl) const;
  // The client's certificate, where it showed one, then or when the session that it resumes began; to be
  // asked after the handshake. Only on a listener that asks for one.
  [[nodiscard]] std::optional<crypto::CertificateIdentity> client_identity(const SSL* ssl) const;
  // The same for a client that names `host` (SNI), without a handshake.
  [[nodiscard]] const Names& names_for(std::string_view host) const {
    return facts_[chosen_for(host).value_or(0)].names;
  }
  [[nodiscard]] const std::vector<CertificateFacts>& certificates() const { return facts_; }

  // What it was made from: when files_digest(config()) is no longer files_digest(), it is time for another.
  [[nodiscard]] const TlsServerConfig& config() const { return config_; }
  [[nodiscard]] const crypto::Digest256& files_digest() const { return files_digest_; }
  // Of what the files of `config` hold now; the ones that cannot be read count as such.
  [[nodiscard]] static crypto::Digest256 files_digest(const TlsServerConfig& config);

 private:
  struct Callbacks;
  TlsServerContext() = default;
  // The certificate for a host by its index; nullopt: none names it.
  [[nodiscard]] std::optional<std::size_t> chosen_for(std::string_view host) const;

  TlsServerConfig config_;
  crypto::Digest256 files_digest_{};
  std::vector<SSL_CTX*> contexts_;       // one for each certificate
  std::vector<CertificateFacts> facts_;  // alike
  std::string alpn_;                     // wire format
};

// The protocol that ALPN settled on, empty if none.
[[nodiscard]] std::string_view negotiated_protocol(const SSL* ssl);

}  // namespace holdfast::net
