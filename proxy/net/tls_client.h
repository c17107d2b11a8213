// The TLS client's side towards one upstream or issuer: the peer's certificate is always verified, against
// the system's store or a file, and must carry the name that was asked for. Made by the control thread;
// immutable after that, used by all workers.
#pragma once

#include <openssl/ssl.h>

#include <expected>
#include <memory>
#include <string>
#include <vector>

#include "net/stream.h"

namespace holdfast::net {

struct TlsClientConfig {
  std::string ca = {};           // path of PEM certificates; empty: the system's store
  std::string certificate = {};  // path of our own PEM chain; empty: none
  std::string key = {};
  std::vector<std::string> protocols = {"http/1.1"};  // ALPN, most wanted first
};

class TlsClientContext {
 public:
  // The error is a sentence for the operator that names the file.
  [[nodiscard]] static std::expected<std::shared_ptr<const TlsClientContext>, std::string> create(
      const TlsClientConfig& config);
  ~TlsClientContext();
  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // A client's side for one connection to `server_name`: a DNS name, which is also sent as SNI, or an IP
  // address literal without brackets. nullptr: out of memory, or no possible name. `http1_only`: ALPN offers
  // nothing else, whatever the configuration has.
  [[nodiscard]] SslPtr new_ssl(const std::string& server_name, bool http1_only = false) const;

 private:
  TlsClientContext() = default;
  SSL_CTX* context_ = nullptr;
};

// Why a handshake failed, as a sentence for the log: the verification's result if that was it.
[[nodiscard]] std::string handshake_failure(const SSL* ssl);

}  // namespace holdfast::net
