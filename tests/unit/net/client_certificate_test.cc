// Which clients a listener that asks for certificates lets in, and that it knows them again when they resume
// a session.
#include <gtest/gtest.h>

#include <fstream>

#include "../../support/authority.h"
#include "base/base64url.h"
#include "handshake.h"
#include "loopback.h"
#include "net/client_authorities.h"

namespace holdfast::net {
namespace {

using testing::CertificatePaths;
using testing::ResumingClient;
using testing::TestAuthority;
using testing::TestCertificate;

class ClientCertificate : public ::testing::Test {
 protected:
  std::shared_ptr<const TlsServerContext> context(ClientAuth auth, const std::string& client_ca) {
    auto made = TlsServerContext::create(
        {.certificates = {{served.certificate(), served.key()}, {second.certificate(), second.key()}},
         .client_auth = auth,
         .client_ca = client_ca,
         .ticket_keys = keys});
    EXPECT_TRUE(made) << made.error();
    return *made;
  }

  TestCertificate served{"DNS:first.example"};
  TestCertificate second{"DNS:second.example"};
  TestAuthority authority;
  TestAuthority stranger{"stranger"};
  std::shared_ptr<TicketKeys> keys = std::make_shared<TicketKeys>();
};

TEST_F(ClientCertificate, WhoIsLetIn) {
  const CertificatePaths good = authority.issue("good", {.common_name = "Zoë, Ltd"});
  const CertificatePaths purpose = authority.issue("purpose", {.purpose = "clientAuth"});
  const CertificatePaths server = authority.issue("server", {.purpose = "serverAuth"});
  const CertificatePaths expired = authority.issue("expired", {.begins_in = -3000, .ends_in = -1200});
  const CertificatePaths early = authority.issue("early", {.begins_in = 3600});
  const CertificatePaths foreign = stranger.issue("foreign", {});
  const CertificatePaths self{served.certificate(), served.key()};
  const struct {
    const char* name;
    const CertificatePaths* shown;
    bool optional, required;
  } cases[] = {{"none", nullptr, true, false},      {"good", &good, true, true},
               {"purpose", &purpose, true, true},   {"server", &server, false, false},
               {"expired", &expired, false, false}, {"early", &early, false, false},
               {"foreign", &foreign, false, false}, {"self-signed", &self, false, false}};
  for (const auto& row : cases) {
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      for (const ClientAuth auth : {ClientAuth::kNone, ClientAuth::kOptional, ClientAuth::kRequired}) {
        // The second certificate's context has to ask as the first one's does.
        for (const char* name : {"first.example", "second.example"}) {
          const auto listener = context(auth, authority.file());
          ResumingClient client(version);
          if (row.shown != nullptr) client.use(row.shown->certificate, row.shown->key);
          const SslPtr ssl = listener->new_ssl();
          const bool done = client.connect(ssl.get(), name).done;
          const bool expected = auth == ClientAuth::kNone       ? true
                                : auth == ClientAuth::kOptional ? row.optional
                                                                : row.required;
          EXPECT_EQ(done, expected) << row.name << ' ' << version << ' ' << static_cast<int>(auth);
          const auto identity = listener->client_identity(ssl.get());
          EXPECT_EQ(identity.has_value(), done && row.shown != nullptr && auth != ClientAuth::kNone)
              << row.name;
        }
      }
    }
  }
}

// What a handshake would say is told without one.
TEST_F(ClientCertificate, ObjectionsAreTheHandshakes) {
  const auto authorities = ClientAuthorities::load(authority.file());
  ASSERT_TRUE(authorities);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto objection = [&](const std::string& file, std::chrono::sys_seconds at) {
    std::ifstream in(file);
    return authorities->objection(std::string(std::istreambuf_iterator<char>(in), {}), at);
  };
  const std::string good = authority.issue("good", {}).certificate;
  EXPECT_EQ(objection(good, now), "");
  EXPECT_EQ(objection(authority.issue("purpose", {.purpose = "clientAuth"}).certificate, now), "");
  const std::string expired = authority.issue("expired", {.begins_in = -3000, .ends_in = -1200}).certificate;
  EXPECT_EQ(objection(expired, now), "certificate has expired");
  EXPECT_EQ(objection(expired, now - std::chrono::minutes(30)), "");
  EXPECT_NE(objection(authority.issue("server", {.purpose = "serverAuth"}).certificate, now), "");
  EXPECT_NE(objection(stranger.issue("foreign", {}).certificate, now), "");
  EXPECT_NE(objection(served.certificate(), now), "");
  EXPECT_EQ(objection(served.key(), now), "no certificate in PEM");
}

TEST_F(ClientCertificate, ThumbprintAndSubject) {
  const CertificatePaths shown =
      authority.issue("shown", {.common_name = "Zoë, \"5\" #1", .organization = "Orders+Co"});
  const auto listener = context(ClientAuth::kRequired, authority.file());
  ResumingClient client;
  client.use(shown.certificate, shown.key);
  const SslPtr ssl = listener->new_ssl();
  ASSERT_TRUE(client.connect(ssl.get()).done);
  const auto identity = listener->client_identity(ssl.get());
  ASSERT_TRUE(identity);
  EXPECT_EQ(identity->subject, R"(CN=Zo\C3\AB\, \"5\" #1,O=Orders\+Co)");
  // RFC 8705 3.1, computed by another way than ours: over the file's own DER.
  FILE* const file = std::fopen(shown.certificate.c_str(), "r");
  X509* const leaf = PEM_read_X509(file, nullptr, nullptr, nullptr);
  std::fclose(file);
  unsigned char digest[32];
  unsigned size = 0;
  ASSERT_EQ(X509_digest(leaf, EVP_sha256(), digest, &size), 1);
  X509_free(leaf);
  EXPECT_EQ(identity->thumbprint, base64url_encode(digest));
}

TEST_F(ClientCertificate, AResumedSessionKnowsItsClient) {
  const CertificatePaths shown = authority.issue("shown", {.common_name = "known"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const ClientAuth auth : {ClientAuth::kOptional, ClientAuth::kRequired}) {
      const auto listener = context(auth, authority.file());
      ResumingClient client(version);
      client.use(shown.certificate, shown.key);
      const SslPtr first = listener->new_ssl();
      ASSERT_TRUE(client.connect(first.get(), "second.example").done);
      // Made anew meanwhile, as when a certificate was swapped.
      const auto after = context(auth, authority.file());
      const SslPtr again = after->new_ssl();
      ASSERT_TRUE(client.connect(again.get(), "second.example").done);
      EXPECT_EQ(SSL_session_reused(again.get()), 1);
      ASSERT_TRUE(after->client_identity(again.get()));
      EXPECT_EQ(after->client_identity(again.get())->subject, "CN=known");
      EXPECT_EQ(after->client_identity(again.get())->thumbprint,
                listener->client_identity(first.get())->thumbprint);
      EXPECT_EQ(after->served_names(again.get())->front(), "second.example");
    }
  }
}

// A session of a listener that asked for less, or of another authority's clients, is worth nothing here.
TEST_F(ClientCertificate, NoSessionIsTakenFromWhereLessWasAsked) {
  const CertificatePaths shown = authority.issue("shown", {});
  const CertificatePaths other = stranger.issue("other", {});
  struct Listener {
    ClientAuth auth;
    std::string ca;
  };
  const Listener none{ClientAuth::kNone, {}};
  const Listener optional{ClientAuth::kOptional, authority.file()};
  const Listener required{ClientAuth::kRequired, authority.file()};
  const Listener elsewhere{ClientAuth::kRequired, stranger.file()};
  const struct {
    const Listener& from;
    const Listener& to;
    const CertificatePaths* shown;
    bool resumed, done;
  } cases[] = {{none, required, nullptr, false, false},     {optional, required, nullptr, false, false},
               {none, optional, nullptr, false, true},      {required, none, &shown, false, true},
               {elsewhere, required, &other, false, false}, {elsewhere, optional, &other, false, false},
               {required, required, &shown, true, true},    {none, none, nullptr, true, true}};
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const auto& row : cases) {
      ResumingClient client(version);
      if (row.shown != nullptr) client.use(row.shown->certificate, row.shown->key);
      const auto from = context(row.from.auth, row.from.ca);
      const SslPtr first = from->new_ssl();
      ASSERT_TRUE(client.connect(first.get()).done);
      ASSERT_NE(client.session(), nullptr);
      const auto to = context(row.to.auth, row.to.ca);
      const SslPtr again = to->new_ssl();
      EXPECT_EQ(client.connect(again.get()).done, row.done);
      EXPECT_EQ(row.done && SSL_session_reused(again.get()) == 1, row.resumed);
    }
  }
}

TEST_F(ClientCertificate, AnExpiredOneDoesNotLiveOnInATicket) {
  const auto listener = context(ClientAuth::kOptional, authority.file());
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const CertificatePaths shown = authority.issue("shown", {.ends_in = 1});
    ResumingClient client(version);
    client.use(shown.certificate, shown.key);
    const SslPtr first = listener->new_ssl();
    ASSERT_TRUE(client.connect(first.get()).done);
    std::this_thread::sleep_for(std::chrono::milliseconds(2100));
    const SslPtr again = listener->new_ssl();
    EXPECT_FALSE(client.connect(again.get()).done);
    EXPECT_FALSE(listener->client_identity(again.get()));
  }
}

TEST_F(ClientCertificate, ErrorsNameTheFile) {
  const CertificatePaths leaf = authority.issue("leaf", {});
  const std::string junk = authority.folder() + "/junk.pem";
  std::ofstream(junk) << "no certificate";
  const std::string broken = authority.folder() + "/broken.pem";
  std::ofstream(broken) << std::ifstream(authority.file()).rdbuf()
                        << "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  const std::pair<std::string, std::string> cases[] = {
      {"/nonexistent/ca.pem", "/nonexistent/ca.pem: No such file or directory"},
      {authority.folder(), authority.folder() + ": Is a directory"},
      {junk, junk + ": no CA certificate in PEM"},
      {broken, broken + ": no CA certificate in PEM"},
      {leaf.certificate, leaf.certificate + ": no CA certificate in PEM"}};
  for (const auto& [path, error] : cases) {
    const auto made = TlsServerContext::create({.certificates = {{served.certificate(), served.key()}},
                                                .client_auth = ClientAuth::kOptional,
                                                .client_ca = path});
    ASSERT_FALSE(made) << path;
    EXPECT_EQ(made.error(), error);
  }
}

}  // namespace
}  // namespace holdfast::net
