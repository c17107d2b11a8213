// The command line: what each command prints, where, and with which exit code; and every error of a
// configuration at once, each with its place. Contract: "Command line" and "Configuration".
#include <openssl/pem.h>

#include <cstdlib>

#include "sidecar.h"
#include "support/authority.h"

namespace holdfast::integration {
namespace {

using support::Finished;
using support::run_holdfast;
using support::TemporaryFolder;

// Of this process and those that it starts, while it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

constexpr const char* kThreeLines =
    "issuer: https://id.example.com/realms/demo\naudience: orders-api\nupstream: http://127.0.0.1:8000\n";

class CheckTest : public ::testing::Test {
 protected:
  void SetUp() override { support::write_certificate(folder_); }

  Finished check(std::string_view yaml, const std::vector<std::string>& more = {}) {
    folder_.write("holdfast.yaml", yaml);
    std::vector<std::string> words{"check", "-c", (folder_.path() / "holdfast.yaml").string()};
    words.insert(words.end(), more.begin(), more.end());
    return run_holdfast(words);
  }

  TemporaryFolder folder_;
};

TEST_F(CheckTest, ThreeLinesAreEnough) {
  const Finished done = check(kThreeLines);
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
}

TEST_F(CheckTest, WhatTheReplayStoreSustains) {
  const Finished usual = check(kThreeLines);
  EXPECT_NE(usual.err.find("it sustains 50000 requests a second, 5000 of one client key\n"),
            std::string::npos)
      << usual.err;
  const Finished small = check(std::string(kThreeLines) + "dpop: {replay: {capacity: 1000, per_key: 1%}}\n");
  EXPECT_NE(small.err.find("it sustains 12 requests a second, less than 1 of one client key\n"),
            std::string::npos)
      << small.err;
}

TEST_F(CheckTest, ThreeLinesNeedACertificateBesideThem) {
  std::filesystem::remove(folder_.path() / "tls.key");
  const Finished done = check(kThreeLines);
  EXPECT_EQ(done.exit_code, 3);
  EXPECT_NE((done.out + done.err).find("tls.key"), std::string::npos) << done.out << done.err;
}

TEST_F(CheckTest, TheTestsOwnConfigurationIsValid) {
  const Sidecar sidecar;
  const Finished done = check(sidecar.yaml());
  EXPECT_EQ(done.exit_code, 0) << done.out << done.err;
}

TEST_F(CheckTest, EveryErrorAtOnceWithItsPlace) {
  const Finished done = check(
      "workers: lots\n"
      "issuers:\n"
      "  - {name: a, url: \"https://id.example.com\", audiences: [x]}\n"
      "upstreams:\n"
      "  - {name: b, servers: [\"http://127.0.0.1:8000\"]}\n"
      "routes:\n"
      "  - {name: one, acces: public, upstream: b}\n"
      "  - {name: two, upstream: nowhere}\n"
      "dpop: {max_age: soon}\n");
  EXPECT_EQ(done.exit_code, 3);
  const std::string said = done.out + done.err;
  for (const char* expected :
       {"holdfast.yaml:1:10: workers:",
        "holdfast.yaml:7:17: routes[0].acces: unknown key; did you mean \"access\"?",
        "holdfast.yaml:8:27: routes[1].upstream:", "holdfast.yaml:9:17: dpop.max_age:"}) {
    EXPECT_NE(said.find(expected), std::string::npos) << expected << "\nin\n" << said;
  }
}

TEST_F(CheckTest, SingleMistakes) {
  struct Row {
    const char* name;
    std::string yaml;
    const char* expected;
  };
  const std::string base = kThreeLines;
  const std::string quoted_bomb = base + "x: &a [1]\ny: *a\n";
  const Row rows[] = {
      {"duplicate key", base + "audience: other-api\n", "holdfast.yaml:4:1: audience"},
      {"syntax", "issuer: [\n", "holdfast.yaml:"},
      {"alias", quoted_bomb, "YAML a"},
      {"unset variable",
       "issuer: https://id.example.com\naudience: ${HOLDFAST_TEST_NOT_SET}\nupstream: http://127.0.0.1:1\n",
       "HOLDFAST_TEST_NOT_SET"},
      {"wrong type", "issuer: [a]\naudience: b\nupstream: http://127.0.0.1:1\n", "holdfast.yaml:1:9: issuer"},
      {"no issuer", "audience: b\nupstream: http://127.0.0.1:1\n", "issuer"},
      {"plain http issuer", "issuer: http://id.example.com\naudience: b\nupstream: http://127.0.0.1:1\n",
       "http"},
      {"unknown algorithm", base + "dpop: {algorithms: [ES256, HS256]}\n", "HS256"},
      {"algorithm none", base + "dpop: {algorithms: [none]}\n", "none"},
      {"empty file", "", "holdfast.yaml"},
      {"a list", "- a\n", "holdfast.yaml:1:1"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Finished done = check(row.yaml);
    EXPECT_EQ(done.exit_code, 3) << done.out << done.err;
    EXPECT_NE((done.out + done.err).find(row.expected), std::string::npos) << done.out << done.err;
  }
}

TEST_F(CheckTest, LaterFeaturesAreNamedAsNotYetSupported) {
  for (const char* later : {"log: {format: text}\n", "dpop: {replay: {store: redis}}\n"}) {
    SCOPED_TRACE(later);
    const Finished done = check(std::string(kThreeLines) + later);
    EXPECT_EQ(done.exit_code, 3);
    EXPECT_NE((done.out + done.err).find("not yet supported"), std::string::npos) << done.out << done.err;
  }
}

TEST_F(CheckTest, WarningsFailOnlyWhenStrict) {
  const std::string yaml =
      "issuer: https://id.example.com/realms/demo\naudience: orders-api\nupstream: "
      "http://orders.example.com:8000\n";
  const Finished lenient = check(yaml);
  EXPECT_EQ(lenient.exit_code, 0) << lenient.err;
  EXPECT_FALSE((lenient.out + lenient.err).empty());
  EXPECT_EQ(check(yaml, {"--strict"}).exit_code, 3);
}

TEST_F(CheckTest, JsonIsJson) {
  for (const std::string& yaml : {std::string(kThreeLines), std::string("issuer: 7\nissuer: 8\n")}) {
    const Finished done = check(yaml, {"--json"});
    boost::system::error_code failed;
    boost::json::parse(done.out, failed);
    EXPECT_FALSE(failed) << done.out;
  }
}

TEST_F(CheckTest, WhatTlsDoesNotTake) {
  const ::holdfast::testing::TestAuthority authority;
  const auto weak = authority.issue("weak", {.rsa_bits = 1024});
  const Finished done = check(
      "issuer: https://id.example.com\naudience: a\nupstreams:\n- {name: u, servers: 'https://127.0.0.1:1', "
      "tls: {certificate: " +
          weak.certificate + ", key: " + weak.key +
          "}}\nroutes: [{name: r}]\nlisteners:\n- name: l\n  address: '127.0.0.1:1'\n  tls: {certificate: " +
          weak.certificate + ", key: " + weak.key + "}\n",
      {"--online"});
  EXPECT_EQ(done.exit_code, 3) << done.err;
  EXPECT_NE(done.err.find(":4:50: upstreams[0].tls: cannot be used: "), std::string::npos) << done.err;
  EXPECT_NE(done.err.find(":9:8: listeners[0].tls: cannot be used: "), std::string::npos) << done.err;
  EXPECT_NE(done.err.find("key too small"), std::string::npos) << done.err;
}

TEST_F(CheckTest, AFlagBeatsTheEnvironment) {
  folder_.write("good.yaml", kThreeLines);
  folder_.write("bad.yaml", "issuer: 7\n");
  const std::string good = (folder_.path() / "good.yaml").string();
  const std::string bad = (folder_.path() / "bad.yaml").string();
  {
    const Variable config("HOLDFAST_CONFIG", good);
    EXPECT_EQ(run_holdfast({"check"}).exit_code, 0);
    EXPECT_EQ(run_holdfast({"check", "-c", bad}).exit_code, 3);
    EXPECT_EQ(run_holdfast({"run", "-c", bad}).exit_code, 1);
    EXPECT_EQ(run_holdfast({"explain", "-c", bad, "--request", "-"}, "GET / HTTP/1.1\n").exit_code, 3);
    EXPECT_EQ(run_holdfast({"test", "-c", bad, good}).exit_code, 3);
  }
  const Variable config("HOLDFAST_CONFIG", bad);
  EXPECT_EQ(run_holdfast({"check", "-c", good}).exit_code, 0);
  EXPECT_EQ(run_holdfast({"check"}).exit_code, 3);
}

TEST(CliTest, AVariableThatIsBrokenHarmsItsOwnCommandOnly) {
  const Variable level("HOLDFAST_LOG_LEVEL", "loud");
  EXPECT_EQ(run_holdfast({"run", "-c", "/nonexistent/holdfast.yaml"}).exit_code, 2);
  EXPECT_EQ(run_holdfast({"version"}).exit_code, 0);
}

TEST_F(CheckTest, RunRefusesABadConfiguration) {
  folder_.write("holdfast.yaml", "issuer: 7\n");
  const Finished done = run_holdfast({"run", "-c", (folder_.path() / "holdfast.yaml").string()});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.err.find("holdfast.yaml:"), std::string::npos) << done.err;
  EXPECT_TRUE(done.out.empty()) << "words for people go to stderr";
}

TEST(CliTest, AMistypedCommandIsNamed) {
  const Finished typo = run_holdfast({"chek", "-c", "f.yaml"});
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_EQ(
      typo.err,
      "holdfast: no command is named \"chek\"; did you mean \"check\"?\nRun with --help for the list.\n");
  EXPECT_EQ(run_holdfast({"qqqqqq"}).err,
            "holdfast: no command is named \"qqqqqq\"\nRun with --help for the list.\n");
}

TEST(CliTest, TheVersionAlsoByTheUsualFlag) {
  const Finished flag = run_holdfast({"--version"});
  EXPECT_EQ(flag.exit_code, 0);
  EXPECT_EQ(flag.out, run_holdfast({"version"}).out.substr(0, flag.out.size()));
  EXPECT_TRUE(flag.out.starts_with("holdfast ")) << flag.out;
}

TEST(CliTest, UsageErrorsExitTwo) {
  EXPECT_EQ(run_holdfast({}).exit_code, 2);
  EXPECT_EQ(run_holdfast({"fly"}).exit_code, 2);
  EXPECT_EQ(run_holdfast({"check", "--no-such-flag"}).exit_code, 2);
  EXPECT_EQ(run_holdfast({"proof", "--method", "GET"}).exit_code, 2);
}

TEST(CliTest, MissingFileIsSaid) {
  const Finished run = run_holdfast({"run", "-c", "/nonexistent/holdfast.yaml"});
  EXPECT_EQ(run.exit_code, 1);
  EXPECT_NE(run.err.find("/nonexistent/holdfast.yaml"), std::string::npos) << run.err;
  EXPECT_EQ(run_holdfast({"check", "-c", "/nonexistent/holdfast.yaml"}).exit_code, 3);
}

TEST(CliTest, Version) {
  const Finished text = run_holdfast({"version"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_NE(text.out.find("openssl"), std::string::npos) << text.out;
  const Finished json = run_holdfast({"version", "--json"});
  EXPECT_TRUE(boost::json::parse(json.out).as_object().contains("version")) << json.out;
}

TEST(CliTest, SchemaIsDraft07) {
  const Finished done = run_holdfast({"schema"});
  EXPECT_EQ(done.exit_code, 0) << done.err;
  EXPECT_EQ(boost::json::parse(done.out).at("$schema"), "http://json-schema.org/draft-07/schema#");
}

TEST(CliTest, KeygenGivesAKeyOfEachKind) {
  for (const char* alg : {"ES256", "ES384", "ES512", "RS256", "PS256", "Ed25519"}) {
    const Finished done = run_holdfast({"keygen", "--alg", alg});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    EXPECT_NE(done.out.find("-----BEGIN PRIVATE KEY-----"), std::string::npos) << alg << done.out;
  }
  EXPECT_EQ(run_holdfast({"keygen", "--alg", "HS256"}).exit_code, 2);
}

TEST(CliTest, ProofOfTheCommandLineIsAccepted) {
  const Sidecar sidecar;
  const TemporaryFolder folder;
  const SigningKey key = SigningKey::generate("ES256");
  key.write_pem((folder.path() / "client.pem").string());
  const std::string token = sidecar.issuer.sign(sidecar.issuer.token(kAudience, key));
  folder.write("token", token + "\n", true);
  const auto proof = [&] {
    const Finished done = run_holdfast({"proof", "--key", (folder.path() / "client.pem").string(), "--method",
                                        "GET", "--url", std::string(kOrigin) + "/orders/1", "--token-file",
                                        (folder.path() / "token").string()});
    EXPECT_EQ(done.exit_code, 0) << done.err;
    return done.out.substr(0, done.out.find('\n'));
  };
  EXPECT_EQ(sidecar.send(Sidecar::with("GET", "/orders/1", token, proof())).status, 200);
  EXPECT_EQ(sidecar.send(Sidecar::with("GET", "/orders/1", token, proof())).status, 200)
      << "a new jti each time";
}

TEST(CliTest, HealthAsksAUrl) {
  const Sidecar sidecar;
  const std::string base = "http://127.0.0.1:" + std::to_string(sidecar.probes_port);
  EXPECT_EQ(run_holdfast({"health", base + "/readyz"}).exit_code, 0);
  EXPECT_EQ(run_holdfast({"health", base + "/nothing"}).exit_code, 1);
  EXPECT_EQ(
      run_holdfast({"health", "http://127.0.0.1:" + std::to_string(support::free_port()) + "/"}).exit_code,
      1);
}

TEST(CliTest, TakenPortIsSaidAtStart) {
  const support::TemporaryFolder folder;
  support::write_certificate(folder);
  const HttpServer taken;
  folder.write("holdfast.yaml", std::string(kThreeLines) + "listeners:\n  - {name: a, address: \"127.0.0.1:" +
                                    std::to_string(taken.port()) + "\", tls: off}\nprobes: off\n");
  const Finished done = run_holdfast({"run", "-c", (folder.path() / "holdfast.yaml").string()});
  EXPECT_EQ(done.exit_code, 1);
  EXPECT_NE(done.err.find(std::to_string(taken.port())), std::string::npos) << done.err;
}

}  // namespace
}  // namespace holdfast::integration
