#include <gtest/gtest.h>
#include <openssl/err.h>

#include <fstream>
#include <optional>

#include "../../support/authority.h"
#include "handshake.h"
#include "loopback.h"
#include "net/tls_client.h"
#include "net/tls_server.h"

namespace holdfast::net {
namespace {

using testing::shake_hands;
using testing::TestCertificate;

std::shared_ptr<const TlsServerContext> server_for(const TestCertificate& certificate,
                                                   TlsServerConfig config = {}) {
  config.certificates.push_back({certificate.certificate(), certificate.key()});
  auto made = TlsServerContext::create(config);
  EXPECT_TRUE(made) << made.error();
  return *made;
}

TEST(TlsServer, NamesComeFromTheSubjectAltNameOnly) {
  const TestCertificate certificate("DNS:API.example.com,DNS:*.example.org,IP:127.0.0.1,IP:2001:db8::1");
  const auto context = server_for(certificate);
  EXPECT_EQ(*context->certificates().at(0).names,
            (std::vector<std::string>{"api.example.com", "*.example.org", "127.0.0.1", "2001:db8::1"}));
  EXPECT_GT(context->certificates().at(0).not_after, std::time(nullptr));
}

TEST(TlsServer, ChoosesTheCertificateByServerName) {
  const TestCertificate first("DNS:first.example");
  const TestCertificate wild("DNS:*.second.example");
  const TestCertificate exact("DNS:exact.second.example");
  const auto context = TlsServerContext::create({.certificates = {{first.certificate(), first.key()},
                                                                  {wild.certificate(), wild.key()},
                                                                  {exact.certificate(), exact.key()}}});
  ASSERT_TRUE(context) << context.error();
  const struct {
    const char* asked;
    const char* served;
  } cases[] = {{"first.example", "first.example"},       {"FIRST.example", "first.example"},
               {"a.second.example", "*.second.example"}, {"exact.second.example", "exact.second.example"},
               {"a.b.second.example", "first.example"},  {"second.example", "first.example"},
               {"unknown.example", "first.example"},     {nullptr, "first.example"}};
  SSL_CTX* const anyone = SSL_CTX_new(TLS_client_method());
  for (const auto& row : cases) {
    const SslPtr server = (*context)->new_ssl();
    const SslPtr client(SSL_new(anyone));
    SSL_set_connect_state(client.get());
    if (row.asked != nullptr) SSL_set_tlsext_host_name(client.get(), row.asked);
    const auto result = shake_hands(server.get(), client.get());
    ASSERT_TRUE(result.done) << result.error;
    EXPECT_EQ((*context)->served_names(server.get())->front(), row.served)
        << (row.asked != nullptr ? row.asked : "none");
  }
  SSL_CTX_free(anyone);
}

TEST(TlsServer, VersionsAndProtocols) {
  const TestCertificate certificate("DNS:localhost");
  const struct {
    TlsVersion server_min;
    std::vector<std::string> server_speaks;
    int client_max;
    std::vector<std::string> client_offers;
    bool done;
    const char* chosen;
  } cases[] = {
      {TlsVersion::k12, {"http/1.1"}, TLS1_3_VERSION, {"http/1.1"}, true, "http/1.1"},
      {TlsVersion::k12, {"http/1.1"}, TLS1_2_VERSION, {"h2", "http/1.1"}, true, "http/1.1"},
      {TlsVersion::k12, {"http/1.1"}, TLS1_3_VERSION, {}, true, ""},
      {TlsVersion::k12, {"http/1.1"}, TLS1_3_VERSION, {"h2"}, false, ""},
      {TlsVersion::k13, {"http/1.1"}, TLS1_2_VERSION, {}, false, ""},
      {TlsVersion::k12, {"http/1.1"}, TLS1_1_VERSION, {}, false, ""},
      {TlsVersion::k12, {"h2", "http/1.1"}, TLS1_2_VERSION, {"http/1.1", "h2"}, true, "h2"},
      {TlsVersion::k12, {"h2", "http/1.1"}, TLS1_3_VERSION, {"http/1.1"}, true, "http/1.1"},
  };
  for (const auto& row : cases) {
    const auto context = server_for(certificate, {.certificates = {},
                                                  .min_version = row.server_min,
                                                  .client_ca = {},
                                                  .ticket_keys = {},
                                                  .protocols = row.server_speaks});
    SSL_CTX* const anyone = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(anyone, 0);
    SSL_CTX_set_max_proto_version(anyone, row.client_max);
    std::string offers;
    for (const auto& name : row.client_offers) {
      offers.push_back(static_cast<char>(name.size()));
      offers += name;
    }
    if (!offers.empty()) {
      SSL_CTX_set_alpn_protos(anyone, reinterpret_cast<const unsigned char*>(offers.data()),
                              static_cast<unsigned>(offers.size()));
    }
    const SslPtr server = context->new_ssl();
    const SslPtr client(SSL_new(anyone));
    SSL_set_connect_state(client.get());
    const auto result = shake_hands(server.get(), client.get());
    EXPECT_EQ(result.done, row.done) << result.error;
    if (row.done) {
      EXPECT_EQ(negotiated_protocol(server.get()), row.chosen);
    }
    SSL_CTX_free(anyone);
  }
}

// Mozilla's "intermediate": forward secrecy and AEAD, or no TLS 1.2 at all.
TEST(TlsServer, OldCipherSuitesAreRefused) {
  const TestCertificate certificate("DNS:localhost");
  const auto context = server_for(certificate);
  const struct {
    const char* suites;
    bool done;
  } cases[] = {{"ECDHE-ECDSA-AES128-GCM-SHA256", true},
               {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
               {"ECDHE-ECDSA-AES128-SHA256", false},
               {"ECDHE-ECDSA-AES256-SHA", false},
               {"AES128-GCM-SHA256", false},
               {"ECDHE-ECDSA-AES256-CCM8", false}};
  for (const auto& row : cases) {
    SSL_CTX* const anyone = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(anyone, 0);
    SSL_CTX_set_max_proto_version(anyone, TLS1_2_VERSION);
    ASSERT_EQ(SSL_CTX_set_cipher_list(anyone, row.suites), 1) << row.suites;
    const SslPtr server = context->new_ssl();
    const SslPtr client(SSL_new(anyone));
    SSL_set_connect_state(client.get());
    EXPECT_EQ(shake_hands(server.get(), client.get()).done, row.done) << row.suites;
    SSL_CTX_free(anyone);
  }
}

TEST(TlsServer, TicketsCarryOverBetweenConnectionsAndCanBeTurnedOff) {
  const TestCertificate certificate("DNS:localhost");
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool tickets : {true, false}) {
      const auto context = server_for(
          certificate, {.certificates = {}, .min_version = TlsVersion::k12, .session_tickets = tickets});
      SSL_CTX* const anyone = SSL_CTX_new(TLS_client_method());
      SSL_CTX_set_max_proto_version(anyone, version);
      static SSL_SESSION* session;
      session = nullptr;
      SSL_CTX_set_session_cache_mode(anyone, SSL_SESS_CACHE_CLIENT);
      SSL_CTX_sess_set_new_cb(anyone, [](SSL*, SSL_SESSION* got) {
        SSL_SESSION_free(session);
        session = got;
        return 1;
      });
      {
        const SslPtr server = context->new_ssl();
        const SslPtr client(SSL_new(anyone));
        SSL_set_connect_state(client.get());
        ASSERT_TRUE(shake_hands(server.get(), client.get()).done);
        char byte = 0;
        (void)SSL_read(client.get(), &byte, 1);  // takes the tickets in
        SSL_shutdown(client.get());
      }
      const SslPtr server = context->new_ssl();
      const SslPtr client(SSL_new(anyone));
      SSL_set_connect_state(client.get());
      if (session != nullptr) SSL_set_session(client.get(), session);
      ASSERT_TRUE(shake_hands(server.get(), client.get()).done);
      EXPECT_EQ(SSL_session_reused(server.get()) != 0, tickets) << version;
      EXPECT_EQ(SSL_get_max_early_data(server.get()), 0u);
      SSL_SESSION_free(session);
      SSL_CTX_free(anyone);
    }
  }
}

TEST(TlsServer, ErrorsNameTheFile) {
  const TestCertificate good("DNS:localhost");
  const TestCertificate other("DNS:localhost");
  const std::string junk = good.folder() + "/junk.pem";
  std::ofstream(junk) << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const struct {
    std::string certificate, key, named;
  } cases[] = {{"/nonexistent/tls.crt", good.key(), "/nonexistent/tls.crt: No such file"},
               {good.certificate(), "/nonexistent/tls.key", "/nonexistent/tls.key: No such file"},
               {junk, good.key(), junk},
               {good.certificate(), junk, junk},
               {good.certificate(), other.key(), other.key() + ": not the key of"}};
  for (const auto& row : cases) {
    const auto made = TlsServerContext::create({.certificates = {{row.certificate, row.key}}});
    ASSERT_FALSE(made) << row.named;
    EXPECT_TRUE(made.error().starts_with(row.named)) << made.error();
  }
  EXPECT_FALSE(TlsServerContext::create({}));
}

TEST(TlsClient, VerifiesChainAndName) {
  const TestCertificate served("DNS:api.example.com,DNS:*.wild.example,IP:127.0.0.1");
  const TestCertificate stranger("DNS:api.example.com");
  const auto server_context = server_for(served);
  const auto trusting = *TlsClientContext::create({.ca = served.certificate()});
  const auto distrusting = *TlsClientContext::create({.ca = stranger.certificate()});
  const struct {
    const TlsClientContext* context;
    const char* name;
    bool done;
  } cases[] = {{trusting.get(), "api.example.com", true},   {trusting.get(), "a.wild.example", true},
               {trusting.get(), "127.0.0.1", true},         {trusting.get(), "other.example.com", false},
               {trusting.get(), "127.0.0.2", false},        {trusting.get(), "not a name", false},
               {trusting.get(), "a.b.wild.example", false}, {distrusting.get(), "api.example.com", false}};
  for (const auto& row : cases) {
    const SslPtr server = server_context->new_ssl();
    const SslPtr client = row.context->new_ssl(row.name);
    ASSERT_NE(client, nullptr);
    const auto result = shake_hands(server.get(), client.get());
    EXPECT_EQ(result.done, row.done) << row.name;
    if (!row.done) {
      EXPECT_TRUE(result.error.starts_with("certificate refused: ")) << result.error;
    }
  }
  EXPECT_EQ(trusting->new_ssl(""), nullptr);
}

TEST(TlsClient, VerifiesValidityPurposeAndChain) {
  const testing::TestAuthority authority;
  const testing::TestAuthority stranger("stranger");
  const std::string name = "DNS:api.example.com";
  const struct {
    const char* what;
    const testing::TestAuthority& by;
    testing::CertificateRequest request;
    bool done;
  } cases[] = {{"good", authority, {.names = name}, true},
               {"for servers", authority, {.names = name, .purpose = "serverAuth"}, true},
               {"expired", authority, {.names = name, .begins_in = -7200, .ends_in = -3600}, false},
               {"not yet valid", authority, {.names = name, .begins_in = 3600}, false},
               {"for clients", authority, {.names = name, .purpose = "clientAuth"}, false},
               {"of another authority", stranger, {.names = name}, false},
               {"a common name alone", authority, {.common_name = "api.example.com"}, false}};
  const auto client_context = *TlsClientContext::create({.ca = authority.file()});
  for (const auto& row : cases) {
    const testing::CertificatePaths served = row.by.issue("served", row.request);
    const auto server_context =
        *TlsServerContext::create({.certificates = {{served.certificate, served.key}}});
    const SslPtr server = server_context->new_ssl();
    const SslPtr client = client_context->new_ssl("api.example.com");
    EXPECT_EQ(shake_hands(server.get(), client.get()).done, row.done) << row.what;
  }
}

// Mutual TLS towards a backend: the client's side shows its certificate where it is asked for one.
TEST(TlsClient, ShowsItsCertificate) {
  const testing::TestAuthority authority;
  const testing::CertificatePaths served = authority.issue("served", {.names = "DNS:api.example.com"});
  const testing::CertificatePaths own = authority.issue("own", {.common_name = "holdfast"});
  const auto server_context = *TlsServerContext::create({.certificates = {{served.certificate, served.key}},
                                                         .client_auth = ClientAuth::kRequired,
                                                         .client_ca = authority.file()});
  const auto client_context =
      *TlsClientContext::create({.ca = authority.file(), .certificate = own.certificate, .key = own.key});
  const SslPtr server = server_context->new_ssl();
  const SslPtr client = client_context->new_ssl("api.example.com");
  ASSERT_TRUE(shake_hands(server.get(), client.get()).done);
  EXPECT_EQ(server_context->client_identity(server.get())->subject, "CN=holdfast");
}

TEST(TlsClient, ErrorsNameTheFile) {
  const auto made = TlsClientContext::create({.ca = "/nonexistent/ca.pem"});
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().starts_with("/nonexistent/ca.pem: "));
}

}  // namespace
}  // namespace holdfast::net
