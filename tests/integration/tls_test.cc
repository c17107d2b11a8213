// TLS of the real binary: clients' certificates from the handshake to the backend, and server certificates
// that are swapped under open connections.
#include <openssl/x509.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "refusal_cases.h"
#include "support/authority.h"

namespace holdfast::integration {
namespace {

using namespace std::chrono_literals;
using support::TlsOptions;
using testing::CertificatePaths;
using testing::TestAuthority;

// x5t#S256, by another way than the proxy's.
std::string thumbprint(const std::string& file) {
  FILE* const in = std::fopen(file.c_str(), "r");
  X509* const certificate = PEM_read_X509(in, nullptr, nullptr, nullptr);
  std::fclose(in);
  unsigned char digest[32];
  unsigned size = 0;
  X509_digest(certificate, EVP_sha256(), digest, &size);
  X509_free(certificate);
  return support::base64url({reinterpret_cast<const char*>(digest), size});
}

Response over(Stream& stream, const Request& request) {
  stream.send(request.raw());
  return MessageReader(stream).response();
}

class Certificates : public ::testing::Test {
 protected:
  explicit Certificates(const std::string& auth = "optional")
      : sidecar({.tls = "client_auth: " + auth + ", client_ca: \"" + authority.file() + "\", ",
                 .routes = "  - {name: either, match: {path: /either/**}, access: dpop_or_bearer, upstream: "
                           "backend}\n",
                 .top = "identity: {client_certificate: X-Client-Subject}\n"}) {}

  [[nodiscard]] TlsOptions with(const CertificatePaths& paths) const {
    return {.server_name = std::string(kHost), .certificate = paths.certificate, .key = paths.key};
  }
  // A token bound to the client's key and to the certificate.
  [[nodiscard]] Request bound_request(const std::string& x5t) {
    AccessToken token = sidecar.token();
    token.payload.raw("cnf", R"({"jkt":")" + sidecar.client.thumbprint() + R"(","x5t#S256":")" + x5t + "\"}");
    const std::string signed_token = sidecar.issuer.sign(token);
    return Sidecar::with("GET", "/orders/1", signed_token,
                         sidecar.proof("GET", "/orders/1", signed_token).sign(sidecar.client));
  }

  TestAuthority authority;
  CertificatePaths mine = authority.issue("mine", {.common_name = "Zoe 5%", .organization = "Orders"});
  CertificatePaths other = authority.issue("other", {.common_name = "other"});
  Sidecar sidecar;
};

TEST_F(Certificates, ABoundTokenNeedsTheConnectionsCertificate) {
  const std::string x5t = thumbprint(mine.certificate);
  {
    Stream stream = Stream::tls(sidecar.tls_port, with(mine));
    Request request = bound_request(x5t);
    request.add("X-Client-Subject", "CN=root").add("x_client_subject", "CN=root");
    const Response answer = over(stream, request);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(sidecar.backend.last().fields.all("X-Client-Subject"),
              std::vector<std::string>{"CN=Zoe%205%25,O=Orders"});
    EXPECT_TRUE(sidecar.backend.last().fields.all("x_client_subject").empty());
    // What the next connection resumes says the same of the client, without its key.
    ASSERT_NE(stream.session(), nullptr);
    TlsOptions again{.server_name = std::string(kHost), .session = stream.session()};
    Stream resumed = Stream::tls(sidecar.tls_port, again);
    const Response second = over(resumed, bound_request(x5t));
    EXPECT_TRUE(resumed.resumed());
    EXPECT_EQ(second.status, 200) << second.body;
    EXPECT_EQ(sidecar.backend.last().fields.value("X-Client-Subject"), "CN=Zoe%205%25,O=Orders");
  }
  {
    Stream stream = Stream::tls(sidecar.tls_port, with(other));
    const Response answer = over(stream, bound_request(x5t));
    expect_refusal(answer, 401, "certificate_mismatch");
    expect_challenge(answer, "invalid_token");
  }
  {
    Stream stream = sidecar.dial();
    Request request = bound_request(x5t);
    request.add("X-Client-Subject", "CN=root").add("X-Forwarded-Client-Cert", "x");
    expect_refusal(over(stream, request), 401, "certificate_mismatch");
    Request unbound = sidecar.with_proof("GET", "/orders/1");
    unbound.add("X-Client-Subject", "CN=root");
    EXPECT_EQ(over(stream, unbound).status, 200);
    EXPECT_TRUE(sidecar.backend.last().fields.all("X-Client-Subject").empty());
  }
}

// RFC 8705 alone: where Bearer is taken, the certificate is all that such a token asks for.
TEST_F(Certificates, ABearerTokenMayBeBoundToOne) {
  AccessToken token = sidecar.token();
  token.payload.text("typ", "Bearer").raw("cnf", R"({"x5t#S256":")" + thumbprint(mine.certificate) + "\"}");
  Request request;
  request.target = "/either/1";
  request.add("Authorization", "Bearer " + sidecar.issuer.sign(token));
  Stream stream = Stream::tls(sidecar.tls_port, with(mine));
  EXPECT_EQ(over(stream, request).status, 200);
  Stream stolen = Stream::tls(sidecar.tls_port, with(other));
  expect_refusal(over(stolen, request), 401, "certificate_mismatch");
  EXPECT_EQ(sidecar.backend.seen_count(), 1U);
}

TEST_F(Certificates, ExplainTakesOneFromAFile) {
  const std::string x5t = thumbprint(mine.certificate);
  const std::string request = bound_request(x5t).raw();
  const auto shown = explain(sidecar, request, {"--client-certificate", mine.certificate});
  EXPECT_EQ(shown.exit_code, 0) << shown.out << shown.err;
  EXPECT_NE(shown.out.find("token and proof are of one key; token and connection are of client certificate " +
                           x5t + "\n"),
            std::string::npos)
      << shown.out;
  const auto wrong = explain(sidecar, request, {"--client-certificate", other.certificate});
  EXPECT_TRUE(wrong.out.starts_with("denied: 401 certificate_mismatch ")) << wrong.out << wrong.err;
  EXPECT_NE(wrong.out.find("token is bound to client certificate " + x5t + ", this connection has " +
                           thumbprint(other.certificate) + " → the client shows the certificate"),
            std::string::npos)
      << wrong.out;
  const auto none = explain(sidecar, request);
  EXPECT_TRUE(none.out.starts_with("denied: 401 certificate_mismatch ")) << none.out << none.err;
  EXPECT_NE(
      none.out.find(", this connection has none → give the client's certificate as --client-certificate"),
      std::string::npos)
      << none.out;
  const TestAuthority stranger("stranger");
  const auto foreign =
      explain(sidecar, request, {"--client-certificate", stranger.issue("foreign", {}).certificate});
  EXPECT_EQ(foreign.exit_code, 2);
  EXPECT_TRUE(foreign.err.starts_with(
      "holdfast explain: --client-certificate: listener public would end the handshake: "))
      << foreign.err;
  const auto plain = explain(sidecar, request, {"--client-certificate", mine.key});
  EXPECT_EQ(plain.exit_code, 2) << plain.out;
}

TEST(WithoutCertificates, ExplainSaysThatNobodyIsAskedForOne) {
  const Sidecar sidecar;
  const TestAuthority authority;
  const CertificatePaths mine = authority.issue("mine", {});
  AccessToken token = sidecar.token();
  token.payload.raw("cnf", R"({"jkt":")" + sidecar.client.thumbprint() + R"(","x5t#S256":")" +
                               thumbprint(mine.certificate) + "\"}");
  const std::string sent = sidecar.issuer.sign(token);
  const auto explained = explain(
      sidecar,
      Sidecar::with("GET", "/orders/1", sent, sidecar.proof("GET", "/orders/1", sent).sign(sidecar.client))
          .raw(),
      {"--client-certificate", mine.certificate});
  EXPECT_NE(explained.out.find("no client is asked for its certificate: listeners[0].tls.client_auth"),
            std::string::npos)
      << explained.out << explained.err;
}

TEST_F(Certificates, OneThatDoesNotVerifyIsAFailedHandshake) {
  const TestAuthority stranger("stranger");
  const CertificatePaths foreign = stranger.issue("foreign", {});
  const auto attempt = [&] {
    // TLS 1.3 clients learn of it with the first answer.
    Stream stream = Stream::tls(sidecar.tls_port, with(foreign));
    stream.send(sidecar.with_proof("GET", "/orders/1").raw());
    std::string bytes;
    return stream.read_some(bytes) == support::ReadResult::kBytes;
  };
  EXPECT_FALSE(attempt());
  EXPECT_EQ(sidecar.backend.seen_count(), 0U);
}

class RequiredCertificates : public Certificates {
 protected:
  RequiredCertificates() : Certificates("required") {}
};

TEST_F(RequiredCertificates, LetNobodyInWithout) {
  Stream without = sidecar.dial();
  without.send(sidecar.with_proof("GET", "/orders/1").raw());
  std::string bytes;
  EXPECT_NE(without.read_some(bytes), support::ReadResult::kBytes);
  Stream stream = Stream::tls(sidecar.tls_port, with(mine));
  EXPECT_EQ(over(stream, sidecar.with_proof("GET", "/orders/1")).status, 200);
}

std::string metrics(const Sidecar& sidecar) {
  return [&] {
    Stream stream = Stream::plain(sidecar.probes_port);
    stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
    return MessageReader(stream).response().body;
  }();
}

TEST(Swap, NewConnectionsGetTheNewCertificateAndNoneIsDropped) {
  const Sidecar sidecar;
  Stream kept = sidecar.dial();
  EXPECT_EQ(over(kept, sidecar.with_proof("GET", "/orders/1")).status, 200);
  const std::string before = kept.server_certificate();
  EXPECT_NE(metrics(sidecar).find("\nholdfast_connections{listener=\"public\"} 1\n"), std::string::npos);
  EXPECT_NE(metrics(sidecar).find("\nholdfast_tls_certificate_expiry_timestamp_seconds{certificate=\""),
            std::string::npos);

  // The certificate first, and its key a while later: nobody may be served half of it.
  const support::TemporaryFolder fresh;
  support::write_certificate(fresh, {"localhost", std::string(kHost)});
  const auto replace = [&](const char* name) {
    std::filesystem::copy(fresh.path() / name, sidecar.folder.path() / "next");
    std::filesystem::rename(sidecar.folder.path() / "next", sidecar.folder.path() / name);
  };
  replace("tls.crt");
  ASSERT_TRUE(sidecar.holdfast->wait_out("certificate_not_replaced"));
  EXPECT_EQ(sidecar.dial().server_certificate(), before);
  replace("tls.key");
  ASSERT_TRUE(sidecar.holdfast->wait_out("\"certificate_replaced\""));
  const auto end = std::chrono::steady_clock::now() + kPatience;
  std::string now = before;
  while (now == before && std::chrono::steady_clock::now() < end) {
    now = sidecar.dial().server_certificate();
    std::this_thread::sleep_for(5ms);
  }
  EXPECT_NE(now, before);

  EXPECT_EQ(over(kept, sidecar.with_proof("GET", "/orders/1")).status, 200);
  EXPECT_EQ(kept.server_certificate(), before);
  Stream resuming =
      Stream::tls(sidecar.tls_port, {.server_name = std::string(kHost), .session = kept.session()});
  EXPECT_EQ(over(resuming, sidecar.with_proof("GET", "/orders/1")).status, 200);
  EXPECT_TRUE(resuming.resumed()) << "ticket keys live longer than certificates";
}

}  // namespace
}  // namespace holdfast::integration
