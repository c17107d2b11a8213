// What the TLS contexts of both sides share: OpenSSL's errors as a sentence, Mozilla's intermediate settings,
// ALPN's wire format. Start-up only.
#pragma once

#include <openssl/ssl.h>

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::net {

// The newest entry of OpenSSL's error queue, which is emptied.
[[nodiscard]] std::string openssl_error();

// TLS 1.2 with forward secrecy and AEAD only, and TLS 1.3; no compression, no renegotiation.
[[nodiscard]] bool set_intermediate(SSL_CTX* context);

// RFC 7301 3.1: each name with its length before it.
[[nodiscard]] std::string alpn_wire(const std::vector<std::string>& protocols);

// A file of certificates, whole. The error is a sentence that names the file.
[[nodiscard]] std::expected<std::string, std::string> read_pem(const std::string& path);

// Loads a PEM chain and its key and sees that they fit each other. Empty: done; else a sentence.
[[nodiscard]] std::string use_certificate(SSL_CTX* context, const std::string& certificate,
                                          const std::string& key);

}  // namespace holdfast::net
