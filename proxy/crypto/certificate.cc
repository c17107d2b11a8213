#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <limits>
#include <memory>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;

std::optional<std::string> name_text(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  // XN_FLAG_RFC2253 escapes control characters and everything beyond ASCII, so the text is safe in a log.
  if (out == nullptr || X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253) < 0) return std::nullopt;
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  if (size <= 0) return std::string();
  return std::string(text, static_cast<std::size_t>(size));
}

}  // namespace

std::optional<CertificateIdentity> identity_of(const x509_st* certificate) {
  const ErrorQueueSweep sweep;
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return std::nullopt;
  const Digest256 digest = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  auto subject = name_text(X509_get_subject_name(certificate));
  if (!subject) return std::nullopt;
  return CertificateIdentity{base64url_encode(digest), std::move(*subject)};
}

std::optional<CertificateBundle> read_bundle(std::string_view pem) {
  const ErrorQueueSweep sweep;
  CertificateBundle bundle;
  if (pem.size() > std::numeric_limits<int>::max()) return std::nullopt;
  const Bio in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (in == nullptr) return std::nullopt;
  while (const Certificate certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    ++bundle.certificates;
    if (X509_check_ca(certificate.get()) > 0) ++bundle.authorities;
  }
  // What ends the loop is the end of the file, or else a block that is no certificate's.
  const unsigned long last = ERR_peek_last_error();
  if (ERR_GET_LIB(last) != ERR_LIB_PEM || ERR_GET_REASON(last) != PEM_R_NO_START_LINE) return std::nullopt;
  return bundle;
}

}  // namespace holdfast::crypto
