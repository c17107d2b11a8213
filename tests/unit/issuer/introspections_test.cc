// Asking about tokens end to end: a control thread, two workers, and a fake issuer on loopback.
#include "issuer/introspections.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <future>
#include <optional>

#include "base/base64url.h"
#include "crypto/signature.h"
#include "fake_issuer.h"
#include "issuer/issuers.h"
#include "jose/json.h"
#include "jose/jws.h"
#include "loop.h"
#include "net/worker.h"
#include "token/access_token.h"
#include "token/claims.h"

namespace holdfast::issuer {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kMetadata = "/.well-known/openid-configuration";

std::shared_ptr<const ClientCredentials> by_secret(std::string secret) {
  return std::make_shared<const ClientCredentials>(
      ClientCredentials{.client_id = "orders-api", .secret = Secret(std::move(secret))});
}

std::string active(std::string_view sub = "alice") {
  return R"({"active":true,"token_type":"DPoP","aud":"orders-api","exp":4000000000,"sub":")" +
         std::string(sub) + "\"}";
}

class Introspection : public ::testing::Test {
 protected:
  Introspection() {
    settings.name = "fake";
    settings.url = issuer.url();
    settings.fetch_timeout = seconds(4);
    settings.introspection = IntrospectionSettings{.credentials = by_secret("s3cret")};
    issuer.answer(std::string(kMetadata), R"({"issuer":")" + issuer.url() +
                                              R"(","introspection_endpoint":")" + issuer.url() + R"(/ask"})");
    say(active());
  }
  ~Introspection() override {
    control.on([this] { issuers->stop(); });
    control.end();
    for (Loop& worker : workers) worker.end();
    issuers.reset();
  }

  void say(const std::string& body) {
    issuer.answer_raw("/ask", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                                  std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  void start() {
    issuers.emplace(control.io(), std::vector{settings}, events);
    for (int i = 0; i < 2; ++i) views[i] = issuers->introspections().view_for(workers[i].io());
    issuers->start();
  }
  void start_and_find() {
    start();
    ASSERT_TRUE(soon([this] { return issuers->loaded(0); }));
  }

  std::future<pipeline::Introspected> ask(const std::string& token, std::size_t worker = 0,
                                          std::shared_ptr<const token::AccessToken> jwt = nullptr) {
    auto answer = std::make_shared<std::promise<pipeline::Introspected>>();
    asio::post(workers[worker].io(), [this, token, worker, answer, jwt] {
      views[worker]->introspect({.issuer = 0, .token = token, .digest = crypto::sha256(token), .jwt = jwt},
                                net::Worker::now(),
                                [answer](const pipeline::Introspected& said) { answer->set_value(said); });
    });
    return answer->get_future();
  }
  // The subject, or the reason's word.
  static std::string outcome(std::future<pipeline::Introspected> answer) {
    const pipeline::Introspected said = answer.get();
    return said ? (*said)->sub.value_or("") : std::string(reason_name(said.error().reason));
  }
  std::uint64_t counted(IntrospectionCounts::Result result) {
    return control.on([&] { return issuers->introspections().counts(0).results[result]; });
  }
  void reload() {
    control.on([this] { issuers->commit({settings}, issuers->prepare({settings})); });
  }

  FakeIssuer issuer;
  IssuerSettings settings;
  Events events;
  std::optional<Issuers> issuers;
  std::shared_ptr<WorkerIntrospections> views[2];
  Loop control;
  Loop workers[2];
};

TEST_F(Introspection, OneQuestionServesAllWhoWaitAndThoseWhoComeLater) {
  start_and_find();
  issuer.delay(milliseconds(300));
  std::vector<std::future<pipeline::Introspected>> answers;
  for (int i = 0; i < 32; ++i) answers.push_back(ask("opaque", static_cast<std::size_t>(i % 2)));
  for (auto& answer : answers) EXPECT_EQ(outcome(std::move(answer)), "alice");
  EXPECT_EQ(issuer.asked("/ask"), 1);
  EXPECT_EQ(outcome(ask("opaque", 0)), "alice");
  EXPECT_EQ(outcome(ask("opaque", 1)), "alice");
  EXPECT_EQ(issuer.asked("/ask"), 1);
  EXPECT_EQ(counted(IntrospectionCounts::kActive), 1U);
  issuer.delay(milliseconds(0));
  EXPECT_EQ(outcome(ask("another")), "alice");
  EXPECT_EQ(issuer.asked("/ask"), 2) << "another token is another question";
}

TEST_F(Introspection, ShowsWhoAsksByASecret) {
  start_and_find();
  EXPECT_EQ(outcome(ask("a+b")), "alice");
  const std::string asked = issuer.last_request();
  EXPECT_TRUE(asked.starts_with("POST /ask HTTP/1.1\r\n")) << asked;
  EXPECT_NE(asked.find("\r\nAuthorization: Basic b3JkZXJzLWFwaTpzM2NyZXQ=\r\n"), std::string::npos) << asked;
  EXPECT_TRUE(asked.ends_with("\r\n\r\ntoken=a%2Bb&token_type_hint=access_token")) << asked;
}

// The assertion in the last request, verified under the key: its payload.
boost::json::object verified_assertion(const std::string& asked, const crypto::PrivateKey& key,
                                       crypto::SignatureAlgorithm algorithm) {
  const std::string_view name = "client_assertion=";
  const std::string assertion = asked.substr(asked.rfind(name) + name.size());
  const auto jws = jose::split_compact(assertion, assertion.size());
  EXPECT_TRUE(jws) << asked;
  if (!jws) return {};
  EXPECT_TRUE(
      crypto::verify(key.public_key(), algorithm, jws->signing_input, *base64url_decode(jws->signature)));
  return jose::parse_json_object(*base64url_decode(jws->payload)).value();
}

TEST_F(Introspection, OrByAKeyWithAnAssertionThatIsNeverTheSame) {
  for (const auto algorithm :
       {crypto::SignatureAlgorithm::kEcdsaP256Sha256, crypto::SignatureAlgorithm::kRsaPkcs1Sha256,
        crypto::SignatureAlgorithm::kEd25519}) {
    const auto key = crypto::PrivateKey::generate(algorithm).value();
    settings.introspection->credentials =
        std::make_shared<const ClientCredentials>(ClientCredentials{.client_id = "orders-api", .key = key});
    issuers ? reload() : start_and_find();
    std::vector<boost::json::object> seen;
    for (const char* const token : {"one", "two"}) {
      EXPECT_EQ(outcome(ask(token)), "alice");
      const std::string asked = issuer.last_request();
      EXPECT_EQ(asked.find("Authorization"), std::string::npos) << asked;
      EXPECT_NE(asked.find("client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A"), std::string::npos)
          << asked;
      seen.push_back(verified_assertion(asked, key, algorithm));
    }
    EXPECT_EQ(std::string(seen[0].at("iss").as_string()), "orders-api");
    EXPECT_EQ(std::string(seen[0].at("sub").as_string()), "orders-api");
    EXPECT_EQ(std::string(seen[0].at("aud").as_string()), issuer.url());
    EXPECT_NE(seen[0].at("jti"), seen[1].at("jti"));
  }
}

TEST_F(Introspection, AnAnswerIsAskedForAnewWhenItsTimeIsOver) {
  settings.introspection->cache = milliseconds(100);
  start_and_find();
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  say(R"({"active":false})");
  EXPECT_TRUE(soon([this] { return outcome(ask("opaque")) == "token_inactive"; }));
  EXPECT_EQ(counted(IntrospectionCounts::kInactive), 1U);
}

TEST_F(Introspection, WithoutACacheEveryRequestAsks) {
  settings.introspection->cache = milliseconds(0);
  start_and_find();
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  say(R"({"active":false})");
  EXPECT_EQ(outcome(ask("opaque")), "token_inactive");
  EXPECT_EQ(outcome(ask("opaque")), "token_inactive");
  EXPECT_EQ(issuer.asked("/ask"), 4);
}

TEST_F(Introspection, ARefusalIsKeptForAMomentSoThatNobodyMakesUsAskForEver) {
  start_and_find();
  for (const char* const body : {R"({"active":false})", R"({"active":true,"token_type":"refresh_token"})"}) {
    say(body);
    const std::string first = outcome(ask(body));
    EXPECT_TRUE(first == "token_inactive" || first == "token_type") << first;
    EXPECT_EQ(outcome(ask(body, 1)), first);
  }
  EXPECT_EQ(issuer.asked("/ask"), 2);
  EXPECT_EQ(counted(IntrospectionCounts::kInactive), 1U);
  EXPECT_EQ(counted(IntrospectionCounts::kUnusable), 1U);
}

TEST_F(Introspection, WhatIsNoAnswerIsNotKeptAndIsLogged) {
  start_and_find();
  int asked = 0;
  for (const std::string& raw :
       {std::string(), std::string("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n"),
        std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")}) {
    issuer.answer_raw("/ask", raw);
    EXPECT_EQ(outcome(ask("opaque")), "introspection_unavailable") << raw;
    EXPECT_EQ(issuer.asked("/ask"), ++asked);
  }
  EXPECT_TRUE(events.mention("introspection_failed"));
  EXPECT_FALSE(events.mention("opaque"));
  EXPECT_EQ(counted(IntrospectionCounts::kFailed), 4U);
  say(active());
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  EXPECT_TRUE(events.mention("introspection_works_again"));
}

TEST_F(Introspection, AnIssuerThatCannotBeFoundYetIsUnavailable) {
  issuer.answer(std::string(kMetadata), "{}");
  start();
  ASSERT_TRUE(soon([this] { return events.mention("names no issuer"); }));
  EXPECT_EQ(outcome(ask("opaque")), "introspection_unavailable");
  EXPECT_EQ(issuer.asked("/ask"), 0);
}

TEST_F(Introspection, ANumberOfQuestionsIsUnderWayAndNoMore) {
  start_and_find();
  issuer.delay(seconds(2));
  std::vector<std::future<pipeline::Introspected>> answers;
  constexpr std::size_t kMore = 5;
  for (std::size_t i = 0; i < Introspections::kMaxUnderWay + kMore; ++i) {
    answers.push_back(ask("opaque-" + std::to_string(i)));
  }
  EXPECT_TRUE(soon([this] { return counted(IntrospectionCounts::kSaturated) == kMore; }));
  for (std::size_t i = 0; i < kMore; ++i) {
    EXPECT_EQ(outcome(std::move(answers[Introspections::kMaxUnderWay + i])), "introspection_unavailable");
  }
  control.on([this] { issuers->stop(); });
  for (std::size_t i = 0; i < Introspections::kMaxUnderWay; ++i) (void)answers[i].get();
}

TEST_F(Introspection, AtTheEndAllWhoWaitAreAnswered) {
  start_and_find();
  issuer.delay(seconds(1));
  auto waiting = ask("opaque");
  ASSERT_TRUE(soon([this] { return issuer.asked("/ask") == 1; }));
  control.on([this] { issuers->stop(); });
  EXPECT_EQ(outcome(std::move(waiting)), "introspection_unavailable");
  EXPECT_EQ(outcome(ask("another")), "introspection_unavailable");
}

TEST_F(Introspection, AReloadForgetsAnswersAndTakesNewCredentials) {
  start_and_find();
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  settings.introspection->credentials = by_secret("n3w");
  reload();
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  EXPECT_EQ(issuer.asked("/ask"), 2);
  EXPECT_NE(issuer.last_request().find("\r\nAuthorization: Basic b3JkZXJzLWFwaTpuM3c=\r\n"),
            std::string::npos)
      << issuer.last_request();
  EXPECT_EQ(control.on([this] { return issuers->numbers(); }), std::vector<std::size_t>{0})
      << "its keys are where they were";
  settings.introspection->url = issuer.url() + "/elsewhere";
  reload();
  EXPECT_EQ(control.on([this] { return issuers->numbers(); }), std::vector<std::size_t>{1});
}

TEST_F(Introspection, WhatWasAskedBeforeAReloadServesOnlyWhoAsked) {
  start_and_find();
  issuer.delay(milliseconds(500));
  auto before = ask("opaque");
  ASSERT_TRUE(soon([this] { return issuer.asked("/ask") == 1; }));
  reload();
  EXPECT_EQ(outcome(std::move(before)), "alice");
  issuer.delay(milliseconds(0));
  EXPECT_EQ(outcome(ask("opaque")), "alice");
  EXPECT_EQ(issuer.asked("/ask"), 2);
}

TEST_F(Introspection, AJwtsOwnClaimsStandWhereTheAnswerSaysNothing) {
  start_and_find();
  auto own = token::read_claims(
      jose::parse_json_object(R"({"iss":"x","exp":4000000000,"scope":"own","cnf":{"jkt":"K"}})").value());
  const auto jwt = std::make_shared<const token::AccessToken>(std::move(own).value());
  const pipeline::Introspected said = ask("a.b.c", 0, jwt).get();
  ASSERT_TRUE(said) << said.error().detail;
  EXPECT_EQ((*said)->sub, "alice");
  EXPECT_EQ((*said)->scopes, std::vector<std::string>{"own"});
  EXPECT_EQ((*said)->cnf.jkt, "K");
}

}  // namespace
}  // namespace holdfast::issuer
