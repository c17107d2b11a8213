#include "net/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace holdfast::net {

std::string openssl_error() {
  unsigned long newest = 0;
  while (const unsigned long code = ERR_get_error()) newest = code;
  if (newest == 0) return "unknown error";
  if (const char* const reason = ERR_reason_error_string(newest)) return reason;
  std::array<char, 256> text{};
  ERR_error_string_n(newest, text.data(), text.size());
  return text.data();
}

bool set_intermediate(SSL_CTX* context) {
  // Mozilla's "intermediate" without the DHE suites: nobody who has those lacks ECDHE.
  static constexpr const char* kCiphers =
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
      "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  return SSL_CTX_set_cipher_list(context, kCiphers) == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
}

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const std::string& protocol : protocols) {
    wire.push_back(static_cast<char>(protocol.size()));
    wire += protocol;
  }
  return wire;
}

namespace {

// OpenSSL says "system lib" for a file that cannot be opened.
std::string unreadable(const std::string& path) {
  errno = 0;
  const std::ifstream file(path);
  if (file.good()) return {};
  return path + ": " + std::strerror(errno != 0 ? errno : EIO);
}

constexpr std::size_t kMaxPem = 4 * 1024 * 1024;

}  // namespace

std::expected<std::string, std::string> read_pem(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxPem, '\0');
  // A folder opens, and fails at the first read.
  if (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof()) {
    return std::unexpected(path + ": " + std::strerror(errno != 0 ? errno : EIO));
  }
  if (file.gcount() == static_cast<std::streamsize>(kMaxPem)) return std::unexpected(path + ": too large");
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string use_certificate(SSL_CTX* context, const std::string& certificate, const std::string& key) {
  if (std::string error = unreadable(certificate); !error.empty()) return error;
  if (std::string error = unreadable(key); !error.empty()) return error;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return certificate + ": no certificate chain in PEM that is taken: " + openssl_error();
  }
  // An encrypted key must be an error, not a question on the terminal.
  SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const std::string reason = openssl_error();
    if (reason.contains("mismatch")) return key + ": not the key of " + certificate;
    return key + ": no private key in PEM: " + reason;
  }
  if (SSL_CTX_check_private_key(context) != 1) return key + ": not the key of " + certificate;
  return {};
}

}  // namespace holdfast::net
