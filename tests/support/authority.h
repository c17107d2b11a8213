// A certificate authority for tests: its own certificate and those that it issues, as PEM files in a folder
// that goes with it. Everything about a certificate that a verifier must look at can be made wrong.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

namespace holdfast::testing {

struct CertificateRequest {
  std::string common_name = "client";
  std::string organization{};
  std::string names{};     // subjectAltName in OpenSSL's words; empty: none
  std::string purpose{};   // extendedKeyUsage, "clientAuth"; empty: none
  unsigned rsa_bits = 0;   // 0: a key on P-256
  long begins_in = -3600;  // seconds from now
  long ends_in = 24 * 3600;
};

struct CertificatePaths {
  std::string certificate;
  std::string key;
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "authority") : key_(EVP_EC_gen("P-256")) {
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-authority-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    certificate_ = make({.common_name = name, .ends_in = 48 * 3600}, key_, nullptr);
    write(file(), [&](FILE* out) { PEM_write_X509(out, certificate_); });
  }
  ~TestAuthority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
    std::filesystem::remove_all(folder_);
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  [[nodiscard]] std::string file() const { return folder_ + "/ca.pem"; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

  // Writes NAME.crt and NAME.key, over what is there.
  CertificatePaths issue(const std::string& name, const CertificateRequest& request) const {
    EVP_PKEY* const key = request.rsa_bits != 0 ? EVP_RSA_gen(request.rsa_bits) : EVP_EC_gen("P-256");
    X509* const leaf = make(request, key, certificate_);
    CertificatePaths paths{folder_ + "/" + name + ".crt", folder_ + "/" + name + ".key"};
    write(paths.certificate, [&](FILE* out) { PEM_write_X509(out, leaf); });
    write(paths.key,
          [&](FILE* out) { PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(leaf);
    EVP_PKEY_free(key);
    return paths;
  }

 private:
  X509* make(const CertificateRequest& request, EVP_PKEY* key, X509* issuer) const {
    X509* const made = X509_new();
    X509_set_version(made, X509_VERSION_3);
    static long serial = 100;
    ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(made), request.begins_in);
    X509_gmtime_adj(X509_getm_notAfter(made), request.ends_in);
    X509_set_pubkey(made, key);
    X509_NAME* const subject = X509_get_subject_name(made);
    if (!request.organization.empty()) add_name(subject, "O", request.organization);
    if (!request.common_name.empty()) add_name(subject, "CN", request.common_name);
    X509_set_issuer_name(made, issuer == nullptr ? subject : X509_get_subject_name(issuer));
    add(made, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "CA:FALSE");
    if (!request.names.empty()) add(made, NID_subject_alt_name, request.names);
    if (!request.purpose.empty()) add(made, NID_ext_key_usage, request.purpose);
    X509_sign(made, key_, EVP_sha256());
    return made;
  }
  static void add_name(X509_NAME* name, const char* field, const std::string& value) {
    X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(value.c_str()), -1, -1, 0);
  }
  static void add(X509* to, int nid, const std::string& value) {
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(to, extension, -1);
    X509_EXTENSION_free(extension);
  }
  static void write(const std::string& path, const std::function<void(FILE*)>& content) {
    FILE* const out = std::fopen(path.c_str(), "w");
    content(out);
    std::fclose(out);
  }

  EVP_PKEY* key_;
  X509* certificate_ = nullptr;
  std::string folder_;
};

}  // namespace holdfast::testing
