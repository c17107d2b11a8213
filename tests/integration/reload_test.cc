// A configuration that is read anew: all or nothing, and no request pays for it. Contract: "Ending".
#include <atomic>
#include <csignal>
#include <map>
#include <thread>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

std::string with(std::string yaml, std::string_view old, std::string_view now) {
  const std::size_t at = yaml.find(old);
  if (at == std::string::npos) throw std::runtime_error("not in the configuration: " + std::string(old));
  return yaml.replace(at, old.size(), now);
}

std::string metric(const Sidecar& sidecar, const std::string& sample) {
  Stream stream = Stream::plain(sidecar.probes_port);
  stream.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string text = MessageReader(stream).response().body;
  const std::size_t at = text.find("\n" + sample + " ");
  if (at == std::string::npos) return "none";
  const std::size_t from = at + sample.size() + 2;
  return text.substr(from, text.find('\n', from) - from);
}

constexpr const char* kOk = R"(holdfast_config_reloads_total{result="ok"})";
constexpr const char* kFailed = R"(holdfast_config_reloads_total{result="failed"})";

// Has the file read and waits until that has ended, well or not.
void reload(const Sidecar& sidecar, const std::string& yaml) {
  const auto count = [&] { return metric(sidecar, kOk) + "/" + metric(sidecar, kFailed); };
  const std::string before = count();
  sidecar.folder.write("holdfast.yaml", yaml);
  sidecar.holdfast->signal(SIGHUP);
  for (const auto deadline = std::chrono::steady_clock::now() + kPatience; count() == before;) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << sidecar.holdfast->out();
    std::this_thread::sleep_for(Milliseconds{5});
  }
}

Request public_request(std::string target = "/public/x") {
  Request request;
  request.target = std::move(target);
  return request;
}

TEST(ReloadTest, NobodyNoticesUnderLoad) {
  Sidecar sidecar;
  const auto rounds = tunable("RELOADS", 40);
  std::atomic<bool> over{false};
  std::atomic<std::uint64_t> served{0};
  std::mutex mutex;
  std::vector<std::string> failures;
  const auto fail = [&](std::string why) {
    const std::lock_guard lock(mutex);
    failures.push_back(std::move(why));
  };
  std::vector<std::thread> clients;
  for (int i = 0; i < 4; ++i) {
    clients.emplace_back([&, i] {
      try {
        Stream stream = i % 2 == 0 ? sidecar.dial() : sidecar.dial_plain();
        MessageReader reader(stream);
        while (!over) {
          // Each on one connection from the first request to the last.
          stream.send(i % 2 == 0 ? sidecar.with_proof("GET", "/orders/1").raw() : public_request().raw());
          const Response answer = reader.response();
          if (answer.status != 200) fail(answer.head + answer.body);
          ++served;
        }
      } catch (const std::runtime_error& error) {
        fail(error.what());
      }
    });
  }
  const std::string yaml = sidecar.yaml();
  const std::vector<std::string> files{
      with(yaml, "- {name: denied", "- {name: renamed"),
      with(yaml, "{name: backend, ", "{name: backend, timeouts: {idle: 3s}, "),
      with(yaml, "dpop: {", "dpop: {max_age: 50s, "),
      with(yaml, "- {name: demo, ", "- {name: demo, jwks: {refresh: 1m}, "),
      with(yaml, "name: public, address", "timeouts: {idle: 60s}, name: public, address"),
      yaml,
  };
  for (std::uint64_t round = 0; round < rounds; ++round) reload(sidecar, files[round % files.size()]);
  over = true;
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(failures.empty()) << failures.size() << " failed, the first: " << failures.front();
  EXPECT_GT(served, rounds);
  EXPECT_EQ(metric(sidecar, kOk), std::to_string(rounds));
}

TEST(ReloadTest, ABrokenFileChangesNothingAndIsNamedWithItsPlace) {
  Sidecar sidecar;
  const std::string file = (sidecar.folder.path() / "holdfast.yaml").string();
  reload(sidecar, sidecar.yaml() + "routess: []\nlogg: 1\n");
  EXPECT_EQ(metric(sidecar, kFailed), "1");
  EXPECT_EQ(metric(sidecar, kOk), "0");
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
  EXPECT_TRUE(sidecar.holdfast->wait_out(file + ":"));
  EXPECT_TRUE(sidecar.holdfast->wait_out(R"(:1: routess: unknown key; did you mean \"routes\"?)"));
  EXPECT_TRUE(sidecar.holdfast->wait_out(":1: logg: unknown key"));
  EXPECT_TRUE(sidecar.holdfast->wait_out("reload_refused"));

  std::filesystem::remove(file);
  sidecar.holdfast->signal(SIGHUP);
  EXPECT_TRUE(sidecar.holdfast->wait_out("cannot be read"));
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
}

TEST(ReloadTest, WhatNeedsARestartIsRefusedWhole) {
  Sidecar sidecar;
  reload(sidecar, with(with(sidecar.yaml(), "workers: 2", "workers: 1"), "{path: /public/**}", "{path: /x}"));
  EXPECT_EQ(metric(sidecar, kFailed), "1");
  EXPECT_TRUE(sidecar.holdfast->wait_out("workers: needs a restart to change"));
  EXPECT_EQ(sidecar.send(public_request()).status, 200) << "the good part of it is not taken either";
}

TEST(ReloadTest, ACertificateThatDoesNotFitIsRefused) {
  Sidecar sidecar;
  const std::string certificate = support::read_file(sidecar.folder.path() / "tls.crt");
  sidecar.folder.write("tls.crt", "no certificate");
  reload(sidecar, sidecar.yaml());
  EXPECT_EQ(metric(sidecar, kFailed), "1");
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
  sidecar.folder.write("tls.crt", certificate);
  reload(sidecar, sidecar.yaml());
  EXPECT_EQ(metric(sidecar, kOk), "1");
}

TEST(ReloadTest, EachPartCountsFromTheNextRequestOn) {
  Sidecar sidecar;
  Stream stream = sidecar.dial();
  MessageReader reader(stream);
  const auto ask = [&](const Request& request) {
    stream.send(request.raw());
    return reader.response();
  };
  const std::string yaml = sidecar.yaml();
  // routes
  EXPECT_EQ(ask(sidecar.with_proof("GET", "/orders/1")).status, 200);
  reload(sidecar, with(yaml, R"({name: orders, match: {path: "/orders/**"}, )",
                       R"({name: orders, match: {path: "/orders/**"}, require: {scopes: [more]}, )"));
  EXPECT_EQ(ask(sidecar.with_proof("GET", "/orders/1")).status, 403);
  EXPECT_TRUE(sidecar.holdfast->wait_out("route orders changed"));
  // issuers: a token that was verified before is judged anew
  reload(sidecar, with(yaml, "audiences: [orders-api]", "audiences: [another-api]"));
  EXPECT_EQ(reason_of(ask(sidecar.with_proof("GET", "/orders/1"))), "token_audience");
  // proof rules
  reload(sidecar, with(yaml, "dpop: {", "dpop: {algorithms: [ES512], "));
  EXPECT_EQ(reason_of(ask(sidecar.with_proof("GET", "/orders/1"))), "proof_algorithm");
  // origins
  reload(sidecar, with(yaml, "\"https://api.example.com\", ", ""));
  EXPECT_EQ(ask(sidecar.with_proof("GET", "/orders/1")).status, 401);
  // identity headers
  reload(sidecar, yaml + "identity: {headers: {sub: X-Who}}\n");
  sidecar.backend.forget();
  EXPECT_EQ(ask(sidecar.with_proof("GET", "/orders/1")).status, 200);
  EXPECT_NE(sidecar.backend.seen().back().fields.value("X-Who"), "");
  // upstreams
  HttpServer other;
  other.on_request([](Exchange& exchange) { exchange.respond(200, "", "other"); });
  reload(sidecar, with(yaml, sidecar.backend.url(), other.url()));
  EXPECT_EQ(ask(sidecar.with_proof("GET", "/orders/1")).body, "other");
  // limits of a listener: connections made from now on
  reload(sidecar, with(yaml, "name: public, address", "limits: {max_headers: 3}, name: public, address"));
  Request many = public_request();
  for (int i = 0; i < 4; ++i) many.add("X-" + std::to_string(i), "1");
  EXPECT_EQ(ask(many).status, 200);
  EXPECT_EQ(sidecar.send(many).status, 431);
}

TEST(ReloadTest, ARequestEndsOnTheUpstreamThatItBeganWith) {
  Sidecar sidecar;
  std::atomic<bool> open{false};
  const Script script(sidecar.backend, [&](Exchange& exchange) {
    while (!open) std::this_thread::sleep_for(Milliseconds{5});
    exchange.respond(200, "", "old");
  });
  Stream stream = sidecar.dial_plain();
  stream.send(public_request().raw());
  ASSERT_TRUE(sidecar.backend.wait_for(1));
  HttpServer other;
  other.on_request([](Exchange& exchange) { exchange.respond(200, "", "new"); });
  reload(sidecar, with(sidecar.yaml(), sidecar.backend.url(), other.url()));
  EXPECT_EQ(sidecar.send_raw(public_request().raw()).body, "new");
  open = true;
  EXPECT_EQ(MessageReader(stream).response().body, "old");
}

TEST(ReloadTest, NoncesAndClaimedProofsOutliveIt) {
  Sidecar sidecar;
  const Response challenge = sidecar.send(sidecar.with_proof("GET", "/nonce/1"));
  const std::string nonce = challenge.fields.value("DPoP-Nonce");
  ASSERT_NE(nonce, "");
  const Request used = sidecar.with_proof("GET", "/orders/1");
  EXPECT_EQ(sidecar.send(used).status, 200);
  reload(sidecar, with(sidecar.yaml(), "- {name: denied", "- {name: renamed"));
  EXPECT_EQ(sidecar.send(sidecar.with_nonce("GET", "/nonce/1", nonce)).status, 200);
  expect_refusal(sidecar.send(used), 401, "proof_replayed");
}

constexpr const char* kShortWindow = "max_age: 1s, clock_skew: 1s, ";
// By then what remembered a proof of that window is gone.
constexpr Milliseconds kForgotten{5000};

TEST(ReloadTest, AWiderWindowIsForProofsIssuedAfterIt) {
  Sidecar sidecar({.dpop = kShortWindow});
  const Request used = sidecar.with_proof("GET", "/orders/1");
  EXPECT_EQ(sidecar.send(used).status, 200);
  std::this_thread::sleep_for(kForgotten);
  reload(sidecar, with(sidecar.yaml(), "max_age: 1s", "max_age: 5m"));
  expect_refusal(sidecar.send(used), 401, "iat_too_old");
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
}

// Clients put the nonce that they have into every proof.
TEST(ReloadTest, ARouteThatBeginsToAskForNoncesTakesNoProofFromBefore) {
  Sidecar sidecar({.dpop = kShortWindow});
  const std::string nonce = sidecar.send(sidecar.with_proof("GET", "/nonce/1")).fields.value("DPoP-Nonce");
  const auto with_nonce = [&] { return sidecar.with_nonce("GET", "/orders/1", nonce); };
  const Request used = with_nonce();
  EXPECT_EQ(sidecar.send(used).status, 200);
  std::this_thread::sleep_for(kForgotten);
  reload(sidecar, with(sidecar.yaml(), "{name: orders,", "{name: orders, nonce: required,"));
  expect_refusal(sidecar.send(used), 401, "iat_too_old");
  EXPECT_EQ(sidecar.send(with_nonce()).status, 200);
}

TEST(ReloadTest, AnIssuerThatStaysIsNotAskedAgainAndANewOneIsThereWhenItCounts) {
  Sidecar sidecar;
  support::FakeIssuer second("RS256", "/realms/second");
  const std::string yaml = sidecar.yaml();
  std::string both = with(
      yaml, "dpop: {", "  - {name: second, url: \"" + second.url() + "\", audiences: [orders-api]}\ndpop: {");
  for (std::size_t at = 0; (at = both.find("upstream: backend}", at)) != std::string::npos; at += 18) {
    const std::size_t line = both.rfind('\n', at);
    if (both.substr(line, at - line).find("access: public") == std::string::npos)
      both.insert(at, "issuers: [demo, second], ");
    at = both.find("upstream: backend}", at);
  }
  sidecar.issuer.go_away();
  reload(sidecar, both);
  EXPECT_EQ(metric(sidecar, kOk), "1") << sidecar.holdfast->out();
  EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200) << "its keys were kept";
  const std::string token = second.sign(second.token(kAudience, sidecar.client));
  EXPECT_EQ(sidecar
                .send(Sidecar::with("GET", "/orders/1", token,
                                    sidecar.proof("GET", "/orders/1", token).sign(sidecar.client)))
                .status,
            200);
}

// A key is published beside the one that signs, then signs itself, then is alone: at no moment a backend that
// keeps the published keys for a while meets an assertion under a key that it cannot know.
TEST(ReloadTest, SignedIdentitiesChangeTheirKeyWithoutAGap) {
  Sidecar sidecar;
  const SigningKey old_key = SigningKey::generate("ES256");
  const SigningKey new_key = SigningKey::generate("ES256");
  old_key.write_pem((sidecar.folder.path() / "old.pem").string());
  new_key.write_pem((sidecar.folder.path() / "new.pem").string());
  const auto published = [&] {
    Stream stream = Stream::plain(sidecar.probes_port);
    stream.send("GET /.well-known/jwks.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
    const Response answer = MessageReader(stream).response();
    std::vector<std::string> kids;
    if (answer.status != 200) return kids;
    const auto set = boost::json::parse(answer.body);
    for (const auto& jwk : set.at("keys").as_array()) kids.emplace_back(jwk.at("kid").as_string());
    return kids;
  };
  const auto kid_of_next = [&] {
    EXPECT_EQ(sidecar.send(sidecar.with_proof("GET", "/orders/1")).status, 200);
    const std::string assertion = sidecar.backend.last().fields.value("X-Auth-Assertion");
    if (assertion.empty()) return std::string("none");
    const auto header =
        boost::json::parse(support::base64url_decode(assertion.substr(0, assertion.find('.'))));
    return std::string(header.at("kid").as_string());
  };
  const std::string old_kid = old_key.thumbprint(), new_kid = new_key.thumbprint();
  using Kids = std::vector<std::string>;
  EXPECT_EQ(published(), Kids());
  EXPECT_EQ(kid_of_next(), "none");

  const auto assertion = [&](const std::string& keys) {
    return sidecar.yaml() + "identity: {assertion: {" + keys + "}}\n";
  };
  reload(sidecar, assertion("key: old.pem"));
  EXPECT_EQ(published(), Kids{old_kid});
  EXPECT_EQ(kid_of_next(), old_kid);
  reload(sidecar, assertion("key: old.pem, previous_key: new.pem"));
  EXPECT_EQ(published(), (Kids{old_kid, new_kid}));
  EXPECT_EQ(kid_of_next(), old_kid);
  reload(sidecar, assertion("key: new.pem, previous_key: old.pem"));
  EXPECT_EQ(published(), (Kids{new_kid, old_kid}));
  EXPECT_EQ(kid_of_next(), new_kid);
  reload(sidecar, assertion("key: new.pem"));
  EXPECT_EQ(published(), Kids{new_kid});
  EXPECT_EQ(metric(sidecar, kOk), "4");

  sidecar.folder.write("new.pem", "no key");
  reload(sidecar, assertion("key: new.pem"));
  EXPECT_EQ(metric(sidecar, kFailed), "1");
  EXPECT_EQ(kid_of_next(), new_kid) << "all or nothing";
}

TEST(ReloadTest, ReloadsThatCrowdEndWithTheLastFile) {
  Sidecar sidecar;
  const std::string last = with(sidecar.yaml(), "{path: /public/**}", "{path: /last/**}");
  sidecar.folder.write("holdfast.yaml", last);
  for (int i = 0; i < 20; ++i) sidecar.holdfast->signal(SIGHUP);
  for (const auto deadline = std::chrono::steady_clock::now() + kPatience;
       sidecar.send_raw(public_request("/last/x").raw()).status != 200;) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline);
    std::this_thread::sleep_for(Milliseconds{10});
  }
  EXPECT_EQ(sidecar.send_raw(public_request().raw()).status, 404);
}

}  // namespace
}  // namespace holdfast::integration
