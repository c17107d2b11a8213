#include "crypto/certificate.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>
#include <limits>
#include <memory>
#include <utility>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using Certificate = std::unique_ptr<X509, Freer<X509_free>>;

Bio reader_of(std::string_view text) {
  if (text.size() > std::numeric_limits<int>::max()) return nullptr;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// What a PEM reader stops at is the end of the text, or else a block that is broken.
bool ended_well() {
  const unsigned long last = ERR_peek_last_error();
  return ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
}

std::optional<std::chrono::sys_seconds> seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  const std::chrono::year_month_day day{std::chrono::year(parts.tm_year + 1900),
                                        std::chrono::month(static_cast<unsigned>(parts.tm_mon + 1)),
                                        std::chrono::day(static_cast<unsigned>(parts.tm_mday))};
  return std::chrono::sys_days(day) + std::chrono::hours(parts.tm_hour) + std::chrono::minutes(parts.tm_min) +
         std::chrono::seconds(parts.tm_sec);
}

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

std::optional<CertificateIdentity> identity_of_chain(std::string_view pem) {
  const ErrorQueueSweep sweep;
  const Bio in = reader_of(pem);
  if (in == nullptr) return std::nullopt;
  const Certificate first{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
  return first == nullptr ? std::nullopt : identity_of(first.get());
}

std::optional<CertificateBundle> read_bundle(std::string_view pem) {
  const ErrorQueueSweep sweep;
  CertificateBundle bundle;
  const Bio in = reader_of(pem);
  if (in == nullptr) return std::nullopt;
  while (const Certificate certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
    ++bundle.certificates;
    if (X509_check_ca(certificate.get()) > 0) ++bundle.authorities;
  }
  if (!ended_well()) return std::nullopt;
  return bundle;
}

std::optional<Validity> validity_of_chain(std::string_view pem) {
  const ErrorQueueSweep sweep;
  const Bio in = reader_of(pem);
  if (in == nullptr) return std::nullopt;
  const Certificate first{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)};
  if (first == nullptr) return std::nullopt;
  while (Certificate{PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)}) {
  }
  if (!ended_well()) return std::nullopt;
  const auto from = seconds_of(X509_get0_notBefore(first.get()));
  const auto until = seconds_of(X509_get0_notAfter(first.get()));
  if (!from || !until) return std::nullopt;
  return Validity{*from, *until};
}

KeyFit fit_of_key(std::string_view key_pem, std::string_view chain_pem) {
  const ErrorQueueSweep sweep;
  const Bio key_text = reader_of(key_pem);
  const Bio chain = reader_of(chain_pem);
  if (key_text == nullptr || chain == nullptr) return KeyFit::kNoKey;
  // An encrypted key must be an error, not a question on the terminal.
  const auto no_password = [](char*, int, int, void*) { return 0; };
  const EvpKey key{PEM_read_bio_PrivateKey(key_text.get(), nullptr, no_password, nullptr)};
  if (key == nullptr) return KeyFit::kNoKey;
  const Certificate first{PEM_read_bio_X509(chain.get(), nullptr, nullptr, nullptr)};
  return first != nullptr && X509_check_private_key(first.get(), key.get()) == 1 ? KeyFit::kFits
                                                                                 : KeyFit::kOfAnother;
}

}  // namespace holdfast::crypto
