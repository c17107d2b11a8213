// What Holdfast reads of an X.509 certificate: the thumbprint that a token may be bound to (RFC 8705 3.1),
// the subject as text (RFC 4514), whether a file of PEM holds anything that a peer's certificate could be
// checked against, and whether a chain and a key belong together. Nothing is verified here: TLS does that.
// Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct x509_st;  // OpenSSL's X509

namespace holdfast::crypto {

struct CertificateIdentity {
  std::string thumbprint;  // x5t#S256: base64url of SHA-256 over the DER; never empty
  // RFC 4514, most specific name first; beyond ASCII escaped as \XX. Empty where the certificate has none.
  std::string subject;
};

// nullopt: out of memory.
[[nodiscard]] std::optional<CertificateIdentity> identity_of(const x509_st* certificate);

// Of the first certificate of a PEM chain, the one that a client shows. nullopt: there is none.
[[nodiscard]] std::optional<CertificateIdentity> identity_of_chain(std::string_view pem);

struct CertificateBundle {
  std::size_t certificates = 0;
  std::size_t authorities = 0;  // of those, the ones that may sign others (RFC 5280 4.2.1.9)
};

// Counts what a file of PEM holds. nullopt: one of its certificates is broken.
[[nodiscard]] std::optional<CertificateBundle> read_bundle(std::string_view pem);

struct Validity {
  std::chrono::sys_seconds from;
  std::chrono::sys_seconds until;
};

// Of the first certificate of a PEM chain, the one that a server shows. nullopt: there is none, or one of the
// chain is broken.
[[nodiscard]] std::optional<Validity> validity_of_chain(std::string_view pem);

enum class KeyFit : std::uint8_t {
  kFits,
  kOfAnother,  // certificate
  kNoKey,      // no unencrypted private key in PEM
};

// Whether the key is that of the first certificate of the chain, which has one.
[[nodiscard]] KeyFit fit_of_key(std::string_view key_pem, std::string_view chain_pem);

}  // namespace holdfast::crypto
