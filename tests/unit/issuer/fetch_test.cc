// Fetching over TLS and over several addresses, from real loopback servers.
#include "issuer/fetch.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>

#include "fake_issuer.h"

namespace holdfast::issuer {
namespace {

namespace asio = boost::asio;

// A self-signed certificate for `subject_alternative_name` with its key, as files that go with it.
class Certificate {
 public:
  explicit Certificate(const std::string& subject_alternative_name) {
    std::string folder = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
    if (mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = folder;

    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = X509_new();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("issuer"), -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    X509_set_pubkey(certificate, key);
    X509_EXTENSION* const names =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, subject_alternative_name.c_str());
    X509_add_ext(certificate, names, -1);
    X509_EXTENSION_free(names);
    X509_sign(certificate, key, EVP_sha256());

    FILE* file = std::fopen(path("tls.crt").c_str(), "w");
    PEM_write_X509(file, certificate);
    std::fclose(file);
    file = std::fopen(path("tls.key").c_str(), "w");
    PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    std::fclose(file);
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
  ~Certificate() { std::filesystem::remove_all(folder_); }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
  [[nodiscard]] asio::ssl::context server() const {
    asio::ssl::context context(asio::ssl::context::tls_server);
    context.use_certificate_chain_file(path("tls.crt"));
    context.use_private_key_file(path("tls.key"), asio::ssl::context::pem);
    return context;
  }

 private:
  std::filesystem::path folder_;
};

FetchResult fetch(const std::string& url, const std::string& ca = {},
                  std::chrono::milliseconds timeout = std::chrono::seconds(5), const std::string& form = {}) {
  const auto location = parse_location(url);
  if (!location) return std::unexpected(location.error());
  net::TlsClientConfig config;
  config.ca = ca;
  auto tls = net::TlsClientContext::create(config);
  if (!tls) return std::unexpected(tls.error());
  asio::io_context io;
  std::optional<FetchResult> result;
  FetchRequest request{.location = *location, .tls = *tls};
  if (!form.empty()) {
    request.form = Secret(form);
    request.authorization = Secret("Basic c2VjcmV0");
    request.max_answer = 1024;
  }
  const Fetch under_way(io, std::move(request), timeout, [&](FetchResult got) { result = std::move(got); });
  EXPECT_FALSE(result) << "never from inside the call";
  io.run();
  if (!result) return std::unexpected("done never came");
  return *result;
}

TEST(Fetch, TrustsTheConfiguredAuthorityAndNobodyElse) {
  const Certificate certificate("IP:127.0.0.1,DNS:localhost");
  asio::ssl::context server = certificate.server();
  FakeIssuer issuer(&server);
  issuer.answer("/keys", "hello");
  const FetchResult trusted = fetch(issuer.url() + "/keys", certificate.path("tls.crt"));
  ASSERT_TRUE(trusted) << trusted.error();
  EXPECT_EQ(*trusted, "hello");

  const FetchResult by_system = fetch(issuer.url() + "/keys");
  ASSERT_FALSE(by_system);
  EXPECT_NE(by_system.error().find("certificate refused"), std::string::npos) << by_system.error();
  EXPECT_EQ(issuer.asked("/keys"), 1) << "nothing was asked of a server that is not believed";
}

TEST(Fetch, RefusesACertificateForAnotherName) {
  const Certificate certificate("DNS:other.example.com,IP:127.0.0.2");
  asio::ssl::context server = certificate.server();
  FakeIssuer issuer(&server);
  issuer.answer("/keys", "hello");
  for (const std::string host : {"127.0.0.1", "localhost"}) {
    const std::string url = "https://" + host + ":" + std::to_string(issuer.port()) + "/keys";
    const FetchResult result = fetch(url, certificate.path("tls.crt"));
    ASSERT_FALSE(result) << host;
    EXPECT_NE(result.error().find("certificate refused"), std::string::npos) << result.error();
  }
}

TEST(Fetch, APlainServerIsNoTlsServer) {
  FakeIssuer issuer;
  issuer.answer("/keys", "hello");
  const FetchResult result = fetch("https://127.0.0.1:" + std::to_string(issuer.port()) + "/keys", {},
                                   std::chrono::milliseconds(500));
  ASSERT_FALSE(result);
}

// `localhost` is often ::1 first, where nobody listens.
TEST(Fetch, TriesEveryAddressOfAName) {
  FakeIssuer issuer;
  issuer.answer("/keys", "hello");
  const FetchResult result = fetch("http://localhost:" + std::to_string(issuer.port()) + "/keys");
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(*result, "hello");
}

TEST(Fetch, ReadsChunksAndBodiesUntilTheEnd) {
  FakeIssuer issuer;
  issuer.answer_raw("/chunks",
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
  issuer.answer_raw("/end", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello");
  issuer.answer_raw("/interim",
                    "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
  for (const std::string target : {"/chunks", "/end", "/interim"}) {
    const FetchResult result = fetch(issuer.url() + target);
    ASSERT_TRUE(result) << target << ": " << result.error();
    EXPECT_EQ(*result, "hello");
  }
}

TEST(Fetch, SaysWhyThereIsNoAnswer) {
  FakeIssuer issuer;
  issuer.answer_raw("/redirect", "HTTP/1.1 301 Moved\r\nLocation: /keys\r\nContent-Length: 0\r\n\r\n");
  issuer.answer_raw("/created", "HTTP/1.1 204 No Content\r\n\r\n");
  issuer.answer_raw("/encoded", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx");
  issuer.answer_raw("/huge",
                    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(kMaxAnswer + 1, 'x'));
  issuer.answer_raw("/rubbish", "SSH-2.0-OpenSSH\r\n\r\n");
  struct Case {
    std::string target, says;
  };
  for (const Case& c :
       {Case{"/redirect", "status 301"}, Case{"/created", "status 204"}, Case{"/absent", "status 404"},
        Case{"/encoded", "encoded"}, Case{"/huge", "larger than"}, Case{"/rubbish", "valid HTTP"}}) {
    const FetchResult result = fetch(issuer.url() + c.target);
    ASSERT_FALSE(result) << c.target;
    EXPECT_NE(result.error().find(c.says), std::string::npos) << result.error();
  }
  EXPECT_FALSE(fetch("http://holdfast-nowhere.invalid/"));
}

TEST(Fetch, SendsAFormWithAuthorization) {
  FakeIssuer issuer;
  issuer.answer_raw(
      "/ask",
      "HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: 2\r\n\r\n{}");
  const FetchResult result = fetch(issuer.url() + "/ask", {}, std::chrono::seconds(5), "token=abc");
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(*result, "{}");
  const std::string asked = issuer.last_request();
  EXPECT_TRUE(asked.starts_with("POST /ask HTTP/1.1\r\n")) << asked;
  EXPECT_NE(asked.find("\r\nAuthorization: Basic c2VjcmV0\r\n"), std::string::npos) << asked;
  EXPECT_NE(asked.find("\r\nContent-Type: application/x-www-form-urlencoded\r\n"), std::string::npos)
      << asked;
  EXPECT_TRUE(asked.ends_with("\r\n\r\ntoken=abc")) << asked;
}

TEST(Fetch, TakesNothingButJsonForAForm) {
  FakeIssuer issuer;
  const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
  const std::string error = R"({"error":"invalid_client","error_description":"no"})";
  const std::string length = "Content-Length: " + std::to_string(error.size()) + "\r\n\r\n";
  struct Case {
    std::string answer, says;
  };
  for (const Case& c :
       {Case{ok + "\r\n{}", "not application/json"},
        Case{ok + "Content-Type: text/html\r\n\r\n{}", "not application/json"},
        Case{ok + "Content-Type: application/json\r\nContent-Type: text/html\r\n\r\n{}",
             "not application/json"},
        Case{ok + "Content-Type: application/token-introspection+jwt\r\n\r\n{}", "not application/json"},
        Case{"HTTP/1.1 401 Unauthorized\r\n" + length + error, "status 401, invalid_client"},
        Case{"HTTP/1.1 400 Bad Request\r\n" + length + error, "status 400, invalid_client"},
        Case{"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno", "status 401"},
        Case{"HTTP/1.1 403 Forbidden\r\n" + length + error, "status 403"},
        Case{"HTTP/1.1 302 Found\r\nLocation: /else\r\nContent-Length: 0\r\n\r\n", "status 302"},
        Case{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n" +
                 std::string(1025, ' '),
             "larger than 1 KiB"}}) {
    issuer.answer_raw("/ask", c.answer);
    const FetchResult result = fetch(issuer.url() + "/ask", {}, std::chrono::seconds(5), "token=abc");
    ASSERT_FALSE(result) << c.answer;
    EXPECT_NE(result.error().find(c.says), std::string::npos) << result.error();
  }
}

TEST(Fetch, AnAbandonedFetchNeverSpeaks) {
  FakeIssuer issuer;
  issuer.answer("/keys", "hello");
  asio::io_context io;
  bool spoken = false;
  auto under_way =
      std::make_unique<Fetch>(io, FetchRequest{.location = *parse_location(issuer.url() + "/keys")},
                              std::chrono::seconds(5), [&](const FetchResult&) { spoken = true; });
  io.run_one();
  under_way.reset();
  io.run();
  EXPECT_FALSE(spoken);
}

}  // namespace
}  // namespace holdfast::issuer
