// Tokens that their issuer is asked about: rule 22, and its place in the order.
#include "flow_test.h"
#include "jose/jws.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

constexpr std::string_view kOpaque = "2YotnFZFEjr1zCsicMWpAA";

class IntrospectionFlowTest : public FlowTest {
 protected:
  IntrospectionFlowTest() { introspect(token::Introspection::kOpaque); }

  void introspect(token::Introspection mode) {
    policy::Route either{
        .name = "either", .match = {.paths = {"/either/**"}}, .access = policy::Access::dpop_or_bearer};
    auto made = rules({either});
    made->issuers[0].introspection = mode;
    // A second issuer, which is never asked, on the guarded route beside the first.
    made->issuers.push_back({.issuer = "https://other.example.com", .audiences = {"api"}});
    made->issuer_numbers = {7, 8};
    made->links.back().issuers = {1, 0};
    flow->replace_rules(made);
  }

  // What the issuer says about a token, with more members or others in their place.
  std::string active(boost::json::object changes = {}, std::initializer_list<const char*> without = {}) {
    boost::json::object said{{"active", true},   {"token_type", "DPoP"},          {"aud", "api"},
                             {"sub", "alice"},   {"exp", kStart + 300},           {"scope", "orders:read"},
                             {"username", "al"}, {"cnf", {{"jkt", holder.jkt()}}}};
    for (auto& [name, value] : changes) said[name] = value;
    for (const char* const name : without) said.erase(name);
    return boost::json::serialize(said);
  }
  Sent call_opaque(std::string_view path = "/orders/1", std::string_view token = kOpaque) {
    return call(path, std::string(token), proof(token, path));
  }
};

TEST_F(IntrospectionFlowTest, AnOpaqueTokenPassesAsWhatItsIssuerSays) {
  introspector.answers[std::string(kOpaque)] = active();
  const auto sent = call_opaque();
  ASSERT_EQ(upstreams.opened.size(), 1U) << sent.client->body;
  EXPECT_EQ(upstreams.admissions[0], Admission::Kind::kVerified);
  const http::Fields& fields = upstreams.opened[0]->head.fields;
  EXPECT_EQ(fields.find("X-Auth-Subject"), "alice");
  EXPECT_EQ(fields.find("X-Auth-Username"), "al");
  EXPECT_EQ(fields.find("X-Auth-Scope"), "orders:read");
  EXPECT_EQ(fields.find("X-Auth-Issuer"), "https://id.example.com");
  EXPECT_EQ(fields.find("X-Auth-Key-Thumbprint"), holder.jkt());
  EXPECT_FALSE(fields.contains("Authorization"));
  EXPECT_EQ(replay.claims.size(), 1U);
  ASSERT_EQ(introspector.asked.size(), 1U);
  EXPECT_EQ(introspector.asked[0].issuer, 7U) << "not the one that is never asked";
  EXPECT_EQ(introspector.asked[0].token, kOpaque);
  EXPECT_EQ(introspector.asked[0].digest, crypto::sha256(kOpaque));
  EXPECT_EQ(introspector.asked[0].jwt, nullptr);
  upstreams.opened[0]->respond(200);
  EXPECT_EQ(log.lines.at(0).sub, "alice");
}

TEST_F(IntrospectionFlowTest, WhatTheIssuerSaysIsJudgedLikeAnyToken) {
  struct Case {
    std::string said;
    std::uint16_t status;
    Reason reason;
  };
  const Case cases[] = {
      {R"({"active":false})", 401, Reason::token_inactive},
      {active({{"exp", kStart - 100}}), 401, Reason::token_expired},
      {active({{"nbf", kStart + 100}}), 401, Reason::token_not_yet_valid},
      {active({{"aud", "other"}}), 401, Reason::token_audience},
      {active({}, {"aud"}), 401, Reason::token_audience},
      {active({{"iss", "https://other.example.com"}}), 401, Reason::token_issuer},
      {active({}, {"cnf"}), 401, Reason::token_unbound},
      {active({{"cnf", boost::json::object{}}}), 401, Reason::token_unbound},
      {active({{"cnf", {{"jkt", stranger.jkt()}}}}), 403, Reason::key_mismatch},
      {active({{"cnf", {{"jkt", holder.jkt()}, {"x5t#S256", "AAAA"}}}}), 401, Reason::certificate_mismatch},
      {active({{"token_type", "refresh_token"}}), 401, Reason::token_type},
      {active({}, {"exp"}), 401, Reason::token_malformed},
      {R"({"active":"true"})", 503, Reason::introspection_unavailable},
  };
  for (const Case& c : cases) {
    introspector.answers[std::string(kOpaque)] = c.said;
    const auto sent = call_opaque();
    EXPECT_EQ(sent.client->status, c.status) << c.said;
    EXPECT_EQ(sent.client->reason(), reason_name(c.reason)) << c.said;
  }
  EXPECT_TRUE(upstreams.opened.empty());
  EXPECT_TRUE(replay.claims.empty()) << "no jti is claimed for what is refused";
  introspector.answers[std::string(kOpaque)] = active();
  const auto scoped = call_opaque("/scoped");
  EXPECT_EQ(scoped.client->reason(), "scope_missing");
}

TEST_F(IntrospectionFlowTest, FactsAreJudgedAnewHoweverLongTheyAreKept) {
  introspector.answers[std::string(kOpaque)] = active();
  EXPECT_EQ(call_opaque().client->status, 0);
  advance(300s + 10s);
  EXPECT_EQ(call_opaque().client->reason(), "token_expired");
}

TEST_F(IntrospectionFlowTest, AnIssuerThatDoesNotSayIsAskedAgainLater) {
  introspector.available = false;
  const auto sent = call_opaque();
  EXPECT_EQ(sent.client->status, 503);
  EXPECT_EQ(sent.client->reason(), "introspection_unavailable");
  EXPECT_TRUE(sent.client->fields.contains("Retry-After"));
  EXPECT_FALSE(sent.client->fields.contains("WWW-Authenticate"));
}

// enforce: false: what the issuer says against a token is told to the log, and so is its silence; a question
// is still worth asking only for a client that has proven its key.
TEST_F(IntrospectionFlowTest, ARouteThatReportsOnlyPassesWhatTheIssuerDoesNotConfirm) {
  policy::Route trial{.name = "trial", .match = {.paths = {"/trial/**"}}};
  trial.enforce = false;
  auto made = rules({trial});
  made->issuers[0].introspection = token::Introspection::kOpaque;
  flow->replace_rules(made);
  const auto reported = [&](const Sent& sent) {
    EXPECT_EQ(sent.client->status, 0) << sent.client->body;
    EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kUnenforced);
    EXPECT_FALSE(upstreams.opened.back()->head.fields.contains("X-Auth-Subject"));
    upstreams.opened.back()->respond(200);
    EXPECT_EQ(log.lines.back().decision, "report");
    return log.lines.back().reason;
  };
  const std::string token(kOpaque);
  EXPECT_EQ(reported(call("/trial/1", token, "rubbish")), Reason::proof_malformed);
  EXPECT_TRUE(introspector.asked.empty());
  EXPECT_EQ(reported(call_opaque("/trial/1")), Reason::token_inactive);
  introspector.available = false;
  EXPECT_EQ(reported(call_opaque("/trial/1")), Reason::introspection_unavailable);
  introspector.available = true;
  introspector.answers[token] = active();
  call_opaque("/trial/1");
  EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kVerified);
}

// Rule 15 before the question: else a stranger with rubbish would make us ask.
TEST_F(IntrospectionFlowTest, NobodyIsAskedBeforeTheProofHasVerified) {
  const std::string token(kOpaque);
  std::string forged = proof(token, "/orders/1");
  forged.back() = forged.back() == 'A' ? 'B' : 'A';
  forged[forged.size() - 2] = forged[forged.size() - 2] == 'A' ? 'B' : 'A';
  const std::string others = proof(token + "x", "/orders/1");
  const std::string old = proof(token, "/orders/1", {{"iat", kStart - 100}});
  for (const std::string& bad : {forged, others, old, std::string("rubbish")}) {
    EXPECT_EQ(call("/orders/1", token, bad).client->status, 401) << bad;
  }
  upstreams.overloaded = true;
  EXPECT_EQ(call_opaque().client->reason(), "overloaded");
  upstreams.overloaded = false;
  EXPECT_TRUE(introspector.asked.empty());
  EXPECT_EQ(call_opaque("/orders/1", std::string(jose::kMaxTokenSize + 1, 'a')).client->reason(),
            "token_malformed");
  EXPECT_TRUE(introspector.asked.empty());
}

TEST_F(IntrospectionFlowTest, AJwtIsNeverShownToAnIssuerThatIsAskedAboutOpaqueOnes) {
  EXPECT_EQ(call("/orders/1").client->status, 0);
  EXPECT_EQ(upstreams.opened.size(), 1U) << "it speaks for itself";
  const std::string foreign = token({{"iss", "https://other.example.com"}});
  call("/orders/1", foreign, proof(foreign, "/orders/1"));
  const std::string broken = "eyJhbGciOiJFUzI1NiJ9.e30.AAAA";
  EXPECT_EQ(call("/orders/1", broken, proof(broken, "/orders/1")).client->reason(), "token_issuer");
  EXPECT_TRUE(introspector.asked.empty());
}

TEST_F(IntrospectionFlowTest, WithoutIntrospectionAnOpaqueTokenIsMalformed) {
  introspect(token::Introspection::kOff);
  EXPECT_EQ(call_opaque().client->reason(), "token_malformed");
  EXPECT_TRUE(introspector.asked.empty());
}

TEST_F(IntrospectionFlowTest, ARequestWaitsForTheAnswerAndMayBeGoneByThen) {
  introspector.answer_at_once = false;
  introspector.answers[std::string(kOpaque)] = active();
  const auto stays = call_opaque();
  const auto leaves = call_opaque();
  EXPECT_EQ(stays.client->status, 0);
  leaves.request->on_request_cancel(Cause::kClientGone);
  for (auto& question : introspector.asked) introspector.answer(question);
  EXPECT_EQ(upstreams.opened.size(), 1U);
  EXPECT_EQ(replay.claims.size(), 1U);
}

// The store may have forgotten a first copy of the proof by then.
TEST_F(IntrospectionFlowTest, AProofWhoseTimeEndedMeanwhileIsRefused) {
  introspector.answer_at_once = false;
  introspector.answers[std::string(kOpaque)] = active();
  const std::string token(kOpaque);
  const auto sent = call("/orders/1", token, proof(token, "/orders/1", {{"iat", kStart - 69}}));
  advance(2s);
  introspector.answer(introspector.asked[0]);
  EXPECT_EQ(sent.client->reason(), "iat_too_old");
  EXPECT_TRUE(replay.claims.empty());
}

// Whoever may send opaque tokens would push the keys of real clients out of the cache.
TEST_F(IntrospectionFlowTest, TheKeysOfStrangersAreNotRemembered) {
  const auto known = [this] {
    const Subject subject{.rules = flow->rules().get(),
                          .route = *flow->rules()->routes.match("api.example.com", "/orders/1", "GET"),
                          .method = "GET",
                          .normal_uri = "https://api.example.com/orders/1"};
    const std::string next = proof(kOpaque, "/orders/1");
    Evidence evidence;
    const auto examined = flow->verifier().examine(
        subject, {.scheme = policy::AuthScheme::dpop, .token = kOpaque, .proof = next}, evidence,
        test_now.wall);
    return examined && evidence.proof->header_known;
  };
  EXPECT_EQ(call_opaque().client->reason(), "token_inactive");
  EXPECT_FALSE(known());
  introspector.answers[std::string(kOpaque)] = active();
  EXPECT_EQ(call_opaque().client->status, 0);
  EXPECT_TRUE(known());
}

TEST_F(IntrospectionFlowTest, AlwaysAsksAboutAJwtOnceItHasVerified) {
  introspect(token::Introspection::kAlways);
  const std::string good = token({{"scope", "own"}});
  introspector.answers[good] = active({{"sub", "u-1"}});
  const auto sent = call("/orders/1", good, proof(good, "/orders/1"));
  ASSERT_EQ(upstreams.opened.size(), 1U) << sent.client->body;
  ASSERT_EQ(introspector.asked.size(), 1U);
  ASSERT_NE(introspector.asked[0].jwt, nullptr);
  EXPECT_EQ(introspector.asked[0].jwt->scopes, std::vector<std::string>{"own"});
  const http::Fields& fields = upstreams.opened[0]->head.fields;
  EXPECT_EQ(fields.find("X-Auth-Subject"), "u-1");
  EXPECT_EQ(fields.find("X-Auth-Scope"), "orders:read");

  // The facts of the JWT are in the cache now, and the question comes all the same.
  introspector.answers[good] = R"({"active":false})";
  EXPECT_EQ(call("/orders/1", good, proof(good, "/orders/1")).client->reason(), "token_inactive");
  EXPECT_EQ(introspector.asked.size(), 2U);
  EXPECT_EQ(replay.claims.size(), 1U);
  introspector.answers[std::string(kOpaque)] = active();
  EXPECT_EQ(call_opaque().client->status, 0) << "and about opaque ones, too";
}

TEST_F(IntrospectionFlowTest, AJwtThatDoesNotPassByItselfIsNotWorthAQuestion) {
  introspect(token::Introspection::kAlways);
  struct Case {
    std::string token;
    Reason reason;
  };
  for (const Case& c : {
           Case{token({}, &stranger), Reason::token_signature},
           Case{token({{"exp", kStart - 100}}), Reason::token_expired},
           Case{token({{"aud", "other"}}), Reason::token_audience},
           Case{token({{"cnf", {{"jkt", stranger.jkt()}}}}), Reason::key_mismatch},
           Case{token({{"typ", "ID"}}), Reason::token_type},
       }) {
    introspector.answers[c.token] = active();
    EXPECT_EQ(call("/orders/1", c.token, proof(c.token, "/orders/1")).client->reason(),
              reason_name(c.reason));
  }
  EXPECT_TRUE(introspector.asked.empty());
}

TEST_F(IntrospectionFlowTest, NorTheIssuerNorTheJwtCanTakeTheOthersDemandsAway) {
  introspect(token::Introspection::kAlways);
  struct Case {
    std::string token, said, reason;  // reason empty: it passes
  };
  const std::string lightweight = token({}, nullptr, "k1", {"aud", "sub", "cnf"});
  for (const Case& c : {
           Case{token(), R"({"active":true})", ""},
           Case{lightweight, active(), ""},
           Case{lightweight, active({}, {"aud"}), "token_audience"},
           Case{lightweight, active({}, {"cnf"}), "token_unbound"},
           Case{token(), active({{"cnf", {{"jkt", stranger.jkt()}}}}), "key_mismatch"},
           Case{token(), active({{"exp", kStart - 100}}), "token_expired"},
           Case{token(), active({{"aud", "other"}}), "token_audience"},
       }) {
    introspector.answers[c.token] = c.said;
    const auto sent = call("/orders/1", c.token, proof(c.token, "/orders/1"));
    EXPECT_EQ(sent.client->reason(), c.reason) << c.said;
  }
}

TEST_F(IntrospectionFlowTest, AsBearerOnlyATokenThatIsBoundToNothingPasses) {
  const auto bearer = [this](std::string_view said) {
    introspector.answers[std::string(kOpaque)] = said;
    return send("/either/1", {{"Authorization", "Bearer " + std::string(kOpaque)}}).client->reason();
  };
  EXPECT_EQ(bearer(active({{"token_type", "Bearer"}}, {"cnf"})), "");
  ASSERT_EQ(upstreams.opened.size(), 1U);
  EXPECT_EQ(upstreams.admissions[0], Admission::Kind::kBearer);
  EXPECT_EQ(bearer(active({{"token_type", "Bearer"}})), "bearer_for_bound_token") << "cnf";
  EXPECT_EQ(bearer(active({}, {"cnf"})), "bearer_for_bound_token") << "token_type: DPoP";
  EXPECT_EQ(bearer(active({{"token_type", "Bearer"}, {"cnf", nullptr}})), "bearer_for_bound_token");
}

TEST_F(IntrospectionFlowTest, AJwtThatIsBoundIsNoBearerTokenWhateverTheIssuerSays) {
  introspect(token::Introspection::kAlways);
  const std::string bound = token();
  introspector.answers[bound] = active({{"token_type", "Bearer"}}, {"cnf"});
  EXPECT_EQ(send("/either/1", {{"Authorization", "Bearer " + bound}}).client->reason(),
            "bearer_for_bound_token");
  EXPECT_TRUE(introspector.asked.empty());
}

}  // namespace
}  // namespace holdfast::pipeline
