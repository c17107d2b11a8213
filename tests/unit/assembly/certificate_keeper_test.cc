// Certificates are swapped while the process runs: whole, or not at all.
#include "certificate_keeper.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "../../support/authority.h"
#include "../net/handshake.h"
#include "../net/loopback.h"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::CertificatePaths;
using testing::ResumingClient;
using testing::TestAuthority;
using testing::turn_until;

constexpr long kLong = 40 * 24 * 3600;  // seconds: nothing is said about its end

struct Log final : pipeline::EventLog {
  std::vector<std::string> lines;
  void event(pipeline::Level, std::string_view name, std::span<const pipeline::EventField> fields) override {
    std::string line(name);
    for (const pipeline::EventField& field : fields) line += " " + std::string(field.value);
    lines.push_back(std::move(line));
  }
};

class CertificateKeeperTest : public ::testing::Test {
 protected:
  ~CertificateKeeperTest() override {
    keeper.stop();
    turn_until(control, [] { return false; }, 10ms);
  }
  std::shared_ptr<const listener::Config> serve(const CertificatePaths& paths, std::size_t index = 0,
                                                net::ClientAuth auth = net::ClientAuth::kNone) {
    auto config = std::make_shared<listener::Config>();
    config->index = index;
    config->name = "listener" + std::to_string(index);
    auto made = net::TlsServerContext::create({.certificates = {{paths.certificate, paths.key}},
                                               .client_auth = auth,
                                               .client_ca = authority.file(),
                                               .ticket_keys = keeper.ticket_keys()});
    EXPECT_TRUE(made) << made.error();
    config->tls = *made;
    served[index] = config;
    return config;
  }
  [[nodiscard]] std::string name_served(std::size_t index = 0) {
    return served[index]->tls->certificates().front().names->front();
  }
  bool wait_for(const std::function<bool()>& done) { return turn_until(control, done); }
  void rest() {
    turn_until(control, [] { return false; }, 200ms);
  }

  TestAuthority authority;
  net::Worker control{0};
  Log log;
  std::map<std::size_t, std::shared_ptr<const listener::Config>> served;
  int replaced = 0;
  CertificateKeeper keeper{control, log,
                           CertificateKeeper::Timing{.files = {.quiet = 30ms, .at_most = 1s, .poll = 1h}},
                           [this](const auto& config) {
                             ++replaced;
                             served[config->index] = config;
                           }};
};

TEST_F(CertificateKeeperTest, ServesWhatTheFilesHold) {
  const CertificatePaths pair = authority.issue("tls", {.names = "DNS:old.example", .ends_in = kLong});
  const CertificatePaths other = authority.issue("other", {.names = "DNS:other.example", .ends_in = kLong});
  keeper.keep({serve(pair, 0), serve(other, 1), std::make_shared<listener::Config>()});
  const auto before = served[0];
  authority.issue("tls", {.names = "DNS:new.example", .ends_in = kLong});
  ASSERT_TRUE(wait_for([&] { return replaced == 1; }));
  EXPECT_EQ(name_served(0), "new.example");
  EXPECT_EQ(before->tls->certificates().front().names->front(), "old.example") << "connections go on with it";
  EXPECT_EQ(served[0]->tally, before->tally);
  rest();
  EXPECT_EQ(replaced, 1) << "nothing changed any more";
  EXPECT_EQ(log.lines, (std::vector<std::string>{"certificate_replaced listener0"}));
}

TEST_F(CertificateKeeperTest, AHalfRenewedPairChangesNothing) {
  const CertificatePaths pair = authority.issue("tls", {.names = "DNS:old.example", .ends_in = kLong});
  const CertificatePaths next = authority.issue("next", {.names = "DNS:new.example", .ends_in = kLong});
  keeper.keep({serve(pair)});
  fs::rename(next.certificate, pair.certificate);
  ASSERT_TRUE(wait_for([&] { return !log.lines.empty(); }));
  EXPECT_EQ(log.lines, (std::vector<std::string>{"certificate_not_replaced listener0 " + pair.key +
                                                 ": not the key of " + pair.certificate}));
  // An event that changes nothing is not said again.
  fs::permissions(pair.key, fs::perms::owner_read);
  rest();
  EXPECT_EQ(log.lines.size(), 1u);
  EXPECT_EQ(name_served(), "old.example");
  fs::rename(next.key, pair.key);
  ASSERT_TRUE(wait_for([&] { return replaced == 1; }));
  EXPECT_EQ(name_served(), "new.example");
  // And a file that goes away.
  fs::remove(pair.certificate);
  ASSERT_TRUE(wait_for([&] { return log.lines.size() == 3; }));
  EXPECT_EQ(log.lines.back(),
            "certificate_not_replaced listener0 " + pair.certificate + ": No such file or directory");
  EXPECT_EQ(name_served(), "new.example");
}

TEST_F(CertificateKeeperTest, AMountedSecretIsSwappedAsAWhole) {
  const fs::path mount = fs::path(authority.folder()) / "mount";
  fs::create_directory(mount);
  const auto publish = [&](const std::string& version, const std::string& name) {
    const CertificatePaths made = authority.issue(version, {.names = name});
    fs::create_directory(mount / version);
    fs::rename(made.certificate, mount / version / "tls.crt");
    fs::rename(made.key, mount / version / "tls.key");
    fs::create_symlink(version, mount / "..tmp");
    fs::rename(mount / "..tmp", mount / "..data");
  };
  publish("..1", "DNS:one.example");
  for (const char* file : {"tls.crt", "tls.key"}) {
    fs::create_symlink(fs::path("..data") / file, mount / file);
  }
  keeper.keep({serve({mount / "tls.crt", mount / "tls.key"})});
  publish("..2", "DNS:two.example");
  fs::remove_all(mount / "..1");
  ASSERT_TRUE(wait_for([&] { return replaced == 1; }));
  EXPECT_EQ(name_served(), "two.example");
  publish("..3", "DNS:three.example");
  ASSERT_TRUE(wait_for([&] { return replaced == 2; }));
  EXPECT_EQ(name_served(), "three.example");
}

TEST_F(CertificateKeeperTest, WhatChangedBeforeItWasAskedToKeepIsFound) {
  const CertificatePaths pair = authority.issue("tls", {.names = "DNS:old.example", .ends_in = kLong});
  const auto config = serve(pair);
  authority.issue("tls", {.names = "DNS:new.example", .ends_in = kLong});
  keeper.keep({config});
  EXPECT_EQ(replaced, 1);
  EXPECT_EQ(name_served(), "new.example");
}

TEST_F(CertificateKeeperTest, SessionsSurviveANewCertificateButNotOtherAuthorities) {
  const TestAuthority stranger("stranger");
  const CertificatePaths pair = authority.issue("tls", {.names = "DNS:old.example", .ends_in = kLong});
  const CertificatePaths shown = authority.issue("shown", {});
  keeper.keep({serve(pair, 0, net::ClientAuth::kRequired)});
  ResumingClient client;
  client.use(shown.certificate, shown.key);
  const auto connect = [&] {
    const net::SslPtr ssl = served[0]->tls->new_ssl();
    const bool done = client.connect(ssl.get()).done;
    return std::pair(done, SSL_session_reused(ssl.get()) == 1);
  };
  EXPECT_EQ(connect(), std::pair(true, false));
  authority.issue("tls", {.names = "DNS:new.example", .ends_in = kLong});
  ASSERT_TRUE(wait_for([&] { return replaced == 1; }));
  EXPECT_EQ(connect(), std::pair(true, true));
  fs::copy(stranger.file(), authority.file(), fs::copy_options::overwrite_existing);
  ASSERT_TRUE(wait_for([&] { return replaced == 2; }));
  EXPECT_FALSE(connect().first);
}

TEST_F(CertificateKeeperTest, SaysInTimeThatACertificateRunsOut) {
  const long day = 24 * 3600;
  const CertificatePaths fine = authority.issue("fine", {.names = "DNS:a", .ends_in = 15 * day});
  const CertificatePaths soon = authority.issue("soon", {.names = "DNS:b", .ends_in = 13 * day + 60});
  const CertificatePaths over =
      authority.issue("over", {.names = "DNS:c", .begins_in = -3 * day, .ends_in = -day - 60});
  keeper.keep({serve(fine, 0), serve(soon, 1), serve(over, 2), serve(over, 3)});
  ASSERT_EQ(log.lines.size(), 3u);
  EXPECT_EQ(log.lines[0], "certificate_expires_soon " + soon.certificate + " 13");
  EXPECT_EQ(log.lines[1], "certificate_expired " + over.certificate + " -2");

  telemetry::Exposition out;
  keeper.write(out);
  const std::string text = out.take();
  std::size_t samples = 0;
  for (const CertificatePaths& paths : {fine, soon, over}) {
    const std::string sample =
        "\nholdfast_tls_certificate_expiry_timestamp_seconds{certificate=\"" + paths.certificate + "\"} ";
    const std::size_t at = text.find(sample);
    ASSERT_NE(at, std::string::npos) << text;
    EXPECT_EQ(text.find(sample, at + 1), std::string::npos) << "twice";
    const long ends = std::stol(text.substr(at + sample.size()));
    const long left = ends - static_cast<long>(std::time(nullptr));
    const long expected = samples == 0 ? 15 * day : samples == 1 ? 13 * day + 60 : -day - 60;
    EXPECT_NEAR(static_cast<double>(left), static_cast<double>(expected), 60);
    ++samples;
  }
}

TEST_F(CertificateKeeperTest, TurnsTheRingOfTicketKeys) {
  CertificateKeeper quick(control, log, CertificateKeeper::Timing{.rotate_tickets = 20ms},
                          [](const auto&) {});
  const std::string first(quick.ticket_keys()->export_ring().reveal());
  EXPECT_TRUE(
      wait_for([&] { return quick.ticket_keys()->export_ring().reveal().size() == 2 * first.size(); }));
  EXPECT_TRUE(wait_for([&] { return !quick.ticket_keys()->export_ring().reveal().contains(first); }));
  quick.stop();
}

}  // namespace
}  // namespace holdfast
