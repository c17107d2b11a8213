// `holdfast check --online`: what a configuration names is reached, or what was tried is said, with its place
// and exit code 4. Contract: "Command line".
#include <chrono>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

using support::FakeIssuer;
using support::Finished;
using support::run_holdfast;
using support::TemporaryFolder;

class CheckOnlineTest : public testing::Test {
 protected:
  void SetUp() override { support::write_certificate(folder_); }

  Finished check(const std::string& yaml, const std::vector<std::string>& more = {}) {
    folder_.write("holdfast.yaml", yaml);
    std::vector<std::string> words{"check", "--online", "-c", (folder_.path() / "holdfast.yaml").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_holdfast(words);
  }
  static std::string three_lines(const std::string& issuer, const std::string& upstream) {
    return "issuer: " + issuer + "\naudience: orders-api\nupstream: " + upstream + "\n";
  }
  static std::string nowhere() { return "http://127.0.0.1:" + std::to_string(support::free_port()); }

  TemporaryFolder folder_;
};

TEST_F(CheckOnlineTest, SaysWhatWasReached) {
  const FakeIssuer issuer;
  const HttpServer backend;
  const Finished done = check(three_lines(issuer.url(), backend.url()));
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.err.find("holdfast.yaml:1:9: issuer: reached " + issuer.url() + ": 1 key\n"),
            std::string::npos)
      << done.err;
  EXPECT_NE(done.err.find("holdfast.yaml:3:11: upstream: reached " + backend.url() + ": connected"),
            std::string::npos)
      << done.err;
  EXPECT_EQ(backend.seen_count(), 0U) << "nothing is asked of a backend";
}

TEST_F(CheckOnlineTest, SaysWhatWasTriedAndHowItFailed) {
  const std::string issuer = nowhere();
  const std::string upstream = nowhere();
  const Finished done = check(three_lines(issuer, upstream));
  EXPECT_EQ(done.exit_code, 4) << done.err;
  for (const std::string& expected :
       {"holdfast.yaml:1:9: issuer: not reached: " + issuer + ": " + issuer +
            "/.well-known/openid-configuration: no connection: Connection refused; " + issuer +
            "/.well-known/oauth-authorization-server: no connection: Connection refused",
        "holdfast.yaml:3:11: upstream: not reached: " + upstream + ": " + upstream.substr(7) +
            ": Connection refused"}) {
    EXPECT_NE(done.err.find(expected), std::string::npos) << expected << "\nin\n" << done.err;
  }
}

TEST_F(CheckOnlineTest, TakesAnIssuerForWhatTheServerWouldTakeItFor) {
  FakeIssuer issuer;
  const HttpServer backend;
  const std::string yaml = three_lines(issuer.url(), backend.url());
  issuer.answer_discovery_with(
      "HTTP/1.1 200 OK\r\nContent-Length: 32\r\n\r\n{\"issuer\":\"https://other.example\"}");
  Finished done = check(yaml);
  EXPECT_EQ(done.exit_code, 4);
  EXPECT_NE(done.err.find("the metadata"), std::string::npos) << done.err;
  issuer.answer_properly();
  issuer.answer_jwks_with("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
  done = check(yaml);
  EXPECT_EQ(done.exit_code, 4);
  EXPECT_NE(done.err.find("status 500"), std::string::npos) << done.err;
}

TEST_F(CheckOnlineTest, VerifiesCertificatesOfServers) {
  const Sidecar server;
  const FakeIssuer issuer;
  const std::string begin =
      "listeners: [{name: a, address: \"127.0.0.1:1\", tls: off}]\nissuer: " + issuer.url() +
      "\naudience: a\nroutes: [{name: r}]\nupstreams:\n- name: u\n  servers: https://" +
      std::string("127.0.0.1:") + std::to_string(server.tls_port) + "\n";
  const std::string ca = "ca: " + (server.folder.path() / "tls.crt").string();
  Finished done = check(begin + "  tls: {" + ca + "}\n");
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_NE(done.err.find("connected, TLS verified"), std::string::npos) << done.err;
  done = check(begin);
  EXPECT_EQ(done.exit_code, 4) << done.err;
  EXPECT_NE(done.err.find(":7:12: upstreams[0].servers: not reached: https://127.0.0.1:"), std::string::npos)
      << done.err;
  EXPECT_NE(done.err.find("TLS: "), std::string::npos) << done.err;
  done = check(begin + "  tls: {server_name: other.example, " + ca + "}\n");
  EXPECT_EQ(done.exit_code, 4) << done.err;
}

TEST_F(CheckOnlineTest, GivesUpOnWhoeverSaysNothing) {
  // the handshake is never answered
  const HttpServer silent;
  const FakeIssuer issuer;
  const auto before = std::chrono::steady_clock::now();
  const Finished done =
      check("listeners: [{name: a, address: \"127.0.0.1:1\", tls: off}]\nissuer: " + issuer.url() +
            "\naudience: a\nroutes: [{name: r}]\nupstreams: [{name: u, servers: \"https://127.0.0.1:" +
            std::to_string(silent.port()) + "\", timeouts: {connect: 200ms}}]\n");
  EXPECT_EQ(done.exit_code, 4) << done.err;
  EXPECT_NE(done.err.find("TLS: no handshake in time"), std::string::npos) << done.err;
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(60));
}

TEST_F(CheckOnlineTest, TellsMachinesTheSame) {
  const FakeIssuer issuer;
  const std::string upstream = nowhere();
  const Finished done = check(three_lines(issuer.url(), upstream), {"--json"});
  EXPECT_EQ(done.exit_code, 4);
  const auto said = boost::json::parse(done.out).as_object();
  EXPECT_EQ(said.at("valid"), true);
  const auto& online = said.at("online").as_array();
  ASSERT_EQ(online.size(), 2U) << done.out;
  EXPECT_EQ(online[0].at("path"), "issuer");
  EXPECT_EQ(online[0].at("reached"), true);
  EXPECT_EQ(online[1].at("line"), 3);
  EXPECT_EQ(online[1].at("target").as_string(), upstream);
  EXPECT_EQ(online[1].at("reached"), false);
  EXPECT_NE(online[1].at("detail").as_string().find("Connection refused"), std::string::npos) << done.out;
}

TEST_F(CheckOnlineTest, AsksNobodyAboutABrokenFile) {
  const FakeIssuer issuer;
  const Finished done = check(three_lines(issuer.url(), "nowhere"), {"--json"});
  EXPECT_EQ(done.exit_code, 3);
  EXPECT_FALSE(boost::json::parse(done.out).as_object().contains("online")) << done.out;
  EXPECT_EQ(issuer.jwks_fetches(), 0U);
}

}  // namespace
}  // namespace holdfast::integration
