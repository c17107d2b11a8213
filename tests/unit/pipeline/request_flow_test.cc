#include "pipeline/request_flow.h"

#include "flow_test.h"
#include "jose/jws.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class RequestFlowTest : public FlowTest {};

TEST_F(RequestFlowTest, AVerifiedRequestGoesOnWithIdentityAndWithoutCredentials) {
  const std::string t = token();
  const auto sent = send("/orders/7?x=1", {{"Authorization", "DPoP " + t},
                                           {"DPoP", proof(t, "/orders/7")},
                                           {"X-Auth-Subject", "mallory"},
                                           {"x_auth_subject", "mallory"},
                                           {"X-Kept", "yes"}});
  ASSERT_EQ(upstreams.opened.size(), 1U);
  EXPECT_EQ(upstreams.admissions[0], Admission::Kind::kVerified);
  const http::RequestHead& head = upstreams.opened[0]->head;
  EXPECT_EQ(head.target, "/orders/7?x=1");
  EXPECT_EQ(head.fields.count("Authorization"), 0U);
  EXPECT_EQ(head.fields.count("DPoP"), 0U);
  EXPECT_EQ(head.fields.count("X-Auth-Subject"), 1U);
  EXPECT_EQ(head.fields.count("x_auth_subject"), 0U);
  EXPECT_EQ(head.fields.find("X-Auth-Subject"), "alice");
  EXPECT_EQ(head.fields.find("X-Auth-Key-Thumbprint"), holder.jkt());
  EXPECT_EQ(head.fields.find("X-Kept"), "yes");
  EXPECT_EQ(sent.client->status, 0);

  upstreams.opened[0]->respond(200, "hello");
  EXPECT_EQ(sent.client->status, 200);
  EXPECT_EQ(sent.client->body, "hello");
  EXPECT_EQ(sent.client->fields.count("X-Secret"), 0U) << "what the backend's Connection lists is its own";
  EXPECT_EQ(sent.client->fields.count("X-Kept"), 1U);
  EXPECT_FALSE(sent.client->close) << "the backend's connection is not the client's";
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].decision, "allow");
  EXPECT_EQ(log.lines[0].sub, "alice");
  EXPECT_EQ(log.lines[0].path, "/orders/7");
}

class SignedIdentityTest : public RequestFlowTest {
 protected:
  SignedIdentityTest() { flow->replace_rules(signing(60s)); }

  std::shared_ptr<Rules> signing(Millis lifetime) {
    auto made = rules();
    made->assertions = std::make_shared<const AssertionSigner>(
        AssertionSigner::Settings{.header = "X-Auth-Assertion", .issuer = "edge", .lifetime = lifetime},
        *crypto::PrivateKey::generate(crypto::SignatureAlgorithm::kEcdsaP256Sha256), std::nullopt);
    made->headers = identity::HeaderPlan({.others = {"X-Auth-Assertion"}});
    for (RouteLinks& links : made->links) links.assertion_audience = "orders";
    return made;
  }

  // The assertion that the newest backend got, its payload.
  std::string last() {
    return std::string(upstreams.opened.back()->head.fields.find("X-Auth-Assertion").value_or(""));
  }
  boost::json::value payload_of(const std::string& assertion) {
    const std::size_t dot = assertion.find('.');
    return boost::json::parse(*base64url_decode(assertion.substr(dot + 1, assertion.rfind('.') - dot - 1)));
  }
};

TEST_F(SignedIdentityTest, TellsAVerifiedCallerAndNobodyElse) {
  const std::string t = token();
  send("/orders/7",
       {{"Authorization", "DPoP " + t}, {"DPoP", proof(t, "/orders/7")}, {"X_Auth_Assertion", "forged"}});
  ASSERT_EQ(upstreams.opened.size(), 1U);
  const http::Fields& fields = upstreams.opened[0]->head.fields;
  EXPECT_EQ(fields.count("X-Auth-Assertion"), 1U);
  EXPECT_EQ(fields.count("X_Auth_Assertion"), 0U);
  const std::string assertion = last();
  const auto payload = payload_of(assertion);
  EXPECT_EQ(payload.at("iss"), "edge");
  EXPECT_EQ(payload.at("aud"), "orders");
  EXPECT_EQ(payload.at("sub"), "alice");
  EXPECT_EQ(payload.at("exp").as_int64(), kStart + 60);
  EXPECT_EQ(payload.at("cnf").at("jkt").as_string(), holder.jkt());

  // Checked as a backend does: by the published set.
  const auto set = jose::KeySet::parse(flow->rules()->assertions->key_set());
  ASSERT_TRUE(set);
  const auto jws = jose::split_compact(assertion, jose::kMaxTokenSize);
  ASSERT_TRUE(jws);
  const auto kid = boost::json::parse(*base64url_decode(jws->header)).at("kid").as_string();
  const auto candidates = set->candidates(std::string_view(kid), jose::Algorithm::ES256);
  ASSERT_EQ(candidates.size(), 1U);
  EXPECT_TRUE(crypto::verify(candidates[0]->key, crypto::SignatureAlgorithm::kEcdsaP256Sha256,
                             jws->signing_input, *base64url_decode(jws->signature)));

  send("/open/a", {{"X-Auth-Assertion", "forged"}});
  ASSERT_EQ(upstreams.opened.size(), 2U);
  EXPECT_EQ(upstreams.opened[1]->head.fields.count("X-Auth-Assertion"), 0U);
}

TEST_F(SignedIdentityTest, IsHandedOutAgainUntilHalfOfItsLifeIsOver) {
  const std::string t = token();
  call("/orders/1", t, proof(t, "/orders/1"));
  const std::string first = last();
  advance(29s);
  call("/orders/2", t, proof(t, "/orders/2"));
  EXPECT_EQ(last(), first);
  advance(2s);
  call("/orders/3", t, proof(t, "/orders/3"));
  EXPECT_NE(last(), first);
  EXPECT_EQ(payload_of(last()).at("exp").as_int64(), kStart + 31 + 60);
}

TEST_F(SignedIdentityTest, NeverOutlivesItsToken) {
  const std::string t = token({{"exp", kStart + 5}});
  call("/orders/1", t, proof(t, "/orders/1"));
  const auto skew = std::chrono::duration_cast<std::chrono::seconds>(rules()->issuers[0].clock_skew).count();
  EXPECT_EQ(payload_of(last()).at("exp").as_int64(), kStart + 5 + skew)
      << "the last moment at which the token is taken";
}

TEST_F(SignedIdentityTest, BelongsToOneCallerAndOneConfiguration) {
  const std::string alice = token();
  const std::string bob = token({{"sub", "bob"}});
  call("/orders/1", alice, proof(alice, "/orders/1"));
  const std::string first = last();
  call("/orders/1", bob, proof(bob, "/orders/1"));
  EXPECT_EQ(payload_of(last()).at("sub"), "bob");
  flow->replace_rules(signing(120s));
  call("/orders/2", alice, proof(alice, "/orders/2"));
  EXPECT_NE(last(), first) << "another key";
  EXPECT_EQ(payload_of(last()).at("exp").as_int64(), kStart + 120);
}

TEST_F(SignedIdentityTest, SaysWhatTheIssuerSaidLast) {
  const auto made = signing(60s);
  made->issuers[0].introspection = token::Introspection::kAlways;
  flow->replace_rules(made);
  const std::string t = token();
  const auto call_with_roles = [&](std::string_view role) {
    introspector.answers[t] = R"({"active":true,"realm_access":{"roles":[")" + std::string(role) + R"("]}})";
    call("/orders/1", t, proof(t, "/orders/1"));
    return std::string(payload_of(last()).at("roles").at(0).as_string());
  };
  EXPECT_EQ(call_with_roles("admin"), "admin");
  EXPECT_EQ(call_with_roles("reader"), "reader") << "the role was taken away meanwhile";
}

TEST_F(RequestFlowTest, APublicRouteIsAnonymousWhateverTheClientClaims) {
  const auto sent = send("/open/a", {{"X-Auth-Subject", "mallory"}, {"Authorization", "Basic eA=="}});
  ASSERT_EQ(upstreams.opened.size(), 1U);
  EXPECT_EQ(upstreams.admissions[0], Admission::Kind::kAnonymous);
  EXPECT_EQ(upstreams.opened[0]->head.fields.count("X-Auth-Subject"), 0U);
  EXPECT_EQ(upstreams.opened[0]->head.fields.find("Authorization"), "Basic eA==");
  EXPECT_TRUE(replay.claims.empty());
}

TEST_F(RequestFlowTest, TheBackendGetsThePathsOneForm) {
  const std::string t = token();
  const auto sent =
      send("/v1/./a%2fb/%7Ec", {{"Authorization", "DPoP " + t}, {"DPoP", proof(t, "/v1/a%2Fb/~c")}});
  ASSERT_EQ(upstreams.opened.size(), 1U) << sent.client->body;
  EXPECT_EQ(upstreams.opened[0]->head.target, "/a%2Fb/~c");
}

TEST_F(RequestFlowTest, RefusalsClaimNothingAndReachNoBackend) {
  const std::string good = token();
  const std::string expired = token({{"exp", kStart - 100}});
  const std::string unbound = token({{"cnf", boost::json::object{}}});
  const std::string foreign = token({{"iss", "https://evil.example.com"}});
  const std::string audience = token({{"aud", "other"}});
  const std::string forged = token({}, &stranger);
  const std::string certificate = token({{"cnf", {{"jkt", holder.jkt()}, {"x5t#S256", "AAAA"}}}});
  struct Case {
    std::string_view path;
    const std::string& token;
    std::string proof;
    std::uint16_t status;
    Reason reason;
  };
  const Case cases[] = {
      {"/orders/1", good, "rubbish", 401, Reason::proof_malformed},
      {"/orders/1", good, proof(good, "/orders/2"), 401, Reason::htu_mismatch},
      {"/orders/1", good, proof(good, "/orders/1", {}, nullptr, "POST"), 401, Reason::htm_mismatch},
      {"/orders/1", good, proof(good, "/orders/1", {{"iat", kStart - 100}}), 401, Reason::iat_too_old},
      {"/orders/1", good, proof(good, "/orders/1", {{"iat", kStart + 100}}), 401, Reason::iat_in_future},
      {"/orders/1", good, proof(forged, "/orders/1"), 401, Reason::ath_mismatch},
      {"/orders/1", expired, proof(expired, "/orders/1"), 401, Reason::token_expired},
      {"/orders/1", unbound, proof(unbound, "/orders/1"), 401, Reason::token_unbound},
      {"/orders/1", foreign, proof(foreign, "/orders/1"), 401, Reason::token_issuer},
      {"/orders/1", audience, proof(audience, "/orders/1"), 401, Reason::token_audience},
      {"/orders/1", forged, proof(forged, "/orders/1"), 401, Reason::token_signature},
      {"/orders/1", certificate, proof(certificate, "/orders/1"), 401, Reason::certificate_mismatch},
      {"/orders/1", good, proof(good, "/orders/1", {}, &stranger), 403, Reason::key_mismatch},
      {"/scoped", good, proof(good, "/scoped"), 403, Reason::scope_missing},
      {"/closed", good, proof(good, "/closed"), 403, Reason::route_denied},
      {"/nowhere", good, proof(good, "/nowhere"), 404, Reason::no_route},
      {"/orders/%2e%2e%2fscoped", good, proof(good, "/orders/1"), 400, Reason::request_malformed},
  };
  for (const Case& each : cases) {
    const auto sent = call(each.path, each.token, each.proof);
    EXPECT_EQ(sent.client->status, each.status) << reason_name(each.reason);
    EXPECT_EQ(sent.client->reason(), reason_name(each.reason)) << sent.client->body;
    EXPECT_TRUE(sent.client->ended);
    ASSERT_FALSE(log.lines.empty());
    EXPECT_EQ(log.lines.back().reason, each.reason);
    EXPECT_EQ(log.lines.back().decision, "deny");
  }
  EXPECT_TRUE(replay.claims.empty()) << "a refused request burnt a jti";
  EXPECT_TRUE(upstreams.opened.empty());
}

// RFC 8705 beside RFC 9449: what is bound to both needs both.
TEST_F(RequestFlowTest, ATokenBoundToACertificateNeedsIt) {
  const std::string mine(43, 'A');
  const auto bound = [this](boost::json::value thumbprint) {
    return token({{"cnf", {{"jkt", holder.jkt()}, {"x5t#S256", std::move(thumbprint)}}}});
  };
  const std::string to_mine = bound(mine.c_str());
  const std::string to_another = bound((std::string(42, 'A') + 'E').c_str());
  const std::string to_prefix = bound("AAAA");
  const std::string to_nothing = bound("");
  const std::string to_number = bound(7);
  const std::string to_neither = token({{"cnf", {{"jkt", stranger.jkt()}, {"x5t#S256", mine.c_str()}}}});
  const std::string only_mine = token({{"cnf", {{"x5t#S256", mine.c_str()}}}});
  const std::string unbound = token();
  struct Case {
    const std::string& token;
    bool shown;
    std::string_view reason;  // empty: it goes through
  };
  const Case cases[] = {{to_mine, true, ""},
                        {to_mine, false, "certificate_mismatch"},
                        {to_another, true, "certificate_mismatch"},
                        {to_prefix, true, "certificate_mismatch"},
                        {to_nothing, true, "certificate_mismatch"},
                        {to_nothing, false, "certificate_mismatch"},
                        {to_number, true, "certificate_mismatch"},
                        {to_number, false, "certificate_mismatch"},
                        {to_neither, true, "key_mismatch"},
                        {only_mine, true, "token_unbound"},
                        {unbound, true, ""},
                        {unbound, false, ""}};
  // Twice: the second time the token's facts come from the cache, and the verdict must not.
  for (int i = 0; i < 2; ++i) {
    for (const Case& each : cases) {
      connection.client_certificate =
          each.shown ? std::make_shared<const crypto::CertificateIdentity>(mine, "CN=a") : nullptr;
      const std::size_t before = upstreams.opened.size();
      const auto sent = call("/orders/1", each.token, proof(each.token, "/orders/1"));
      EXPECT_EQ(sent.client->reason(), each.reason) << &each - cases;
      EXPECT_EQ(upstreams.opened.size() - before, each.reason.empty() ? 1U : 0U);
    }
  }
}

TEST_F(RequestFlowTest, TheBackendIsToldOfTheClientsCertificate) {
  for (const bool shown : {true, false}) {
    connection.client_certificate =
        shown ? std::make_shared<const crypto::CertificateIdentity>("x", "CN=Zoe Q") : nullptr;
    for (const std::string_view path : {"/open/a", "/orders/1"}) {
      const std::string t = token();
      const auto sent = send(path, {{"Authorization", "DPoP " + t},
                                    {"DPoP", proof(t, path)},
                                    {"X-Client-Subject", "CN=root"},
                                    {"x_client_subject", "CN=root"}});
      ASSERT_FALSE(upstreams.opened.empty());
      const http::Fields& fields = upstreams.opened.back()->head.fields;
      EXPECT_EQ(fields.count("X-Client-Subject"), shown ? 1U : 0U) << path;
      EXPECT_EQ(fields.find("X-Client-Subject").value_or(""), shown ? "CN=Zoe%20Q" : "") << path;
      EXPECT_EQ(fields.count("x_client_subject"), 0U) << path;
    }
  }
}

TEST_F(RequestFlowTest, AProofSignedByAnotherKeyThanItNamesIsRefusedAfterTheBinding) {
  const std::string t = token();
  // The victim's public key in the header, the attacker's signature behind it.
  const auto digest = crypto::sha256(t);
  const std::string fake = stranger.sign({{"alg", "ES256"}, {"typ", "dpop+jwt"}, {"jwk", holder.jwk()}},
                                         {{"jti", "x"},
                                          {"htm", "GET"},
                                          {"htu", "https://api.example.com/orders/1"},
                                          {"iat", kStart},
                                          {"ath", base64url_encode(digest)}});
  const auto sent = call("/orders/1", t, fake);
  EXPECT_EQ(sent.client->reason(), "proof_signature");
  EXPECT_TRUE(replay.claims.empty());
}

TEST_F(RequestFlowTest, ASecondUseOfAProofIsRefused) {
  const std::string t = token();
  const std::string p = proof(t, "/orders/1");
  EXPECT_EQ(call("/orders/1", t, p).client->status, 0);
  const auto again = call("/orders/1", t, p);
  EXPECT_EQ(again.client->status, 401);
  EXPECT_EQ(again.client->reason(), "proof_replayed");
  EXPECT_EQ(upstreams.opened.size(), 1U);
}

TEST_F(RequestFlowTest, AnOverloadedUpstreamRefusesBeforeTheProofIsUsedUp) {
  const std::string t = token();
  const std::string p = proof(t, "/orders/1");
  upstreams.overloaded = true;
  const auto refused = call("/orders/1", t, p);
  EXPECT_EQ(refused.client->status, 503);
  EXPECT_EQ(refused.client->reason(), "overloaded");
  EXPECT_TRUE(replay.claims.empty()) << "a refused request burnt a jti";
  EXPECT_TRUE(upstreams.opened.empty());
  upstreams.overloaded = false;
  (void)call("/orders/1", t, p);
  EXPECT_EQ(upstreams.opened.size(), 1U);
}

TEST_F(RequestFlowTest, AnOverloadedProcessRefusesWhatBegins) {
  const std::string t = token();
  const std::string p = proof(t, "/orders/1");
  const auto under_way = call("/orders/1");
  ASSERT_EQ(upstreams.opened.size(), 1U);
  short_of_memory = true;
  for (const auto& refused : {call("/orders/1", t, p), send("/open/a", {}), send("/nowhere", {})}) {
    EXPECT_EQ(refused.client->status, 503);
    EXPECT_EQ(refused.client->reason(), "overloaded");
    EXPECT_EQ(refused.client->fields.count("Retry-After"), 1U);
  }
  EXPECT_EQ(upstreams.opened.size(), 1U);
  upstreams.opened[0]->respond(200, "still");
  EXPECT_EQ(under_way.client->body, "still");
  short_of_memory = false;
  (void)call("/orders/1", t, p);
  EXPECT_EQ(upstreams.opened.size(), 2U) << "the refused request left its proof unused";
}

TEST_F(RequestFlowTest, WhatTheReplayStoreSaysIsAnswered) {
  const std::pair<ReplayResult, std::pair<int, std::string_view>> cases[] = {
      {ReplayResult::kBeforeBirth, {401, "iat_too_old"}},
      {ReplayResult::kFull, {503, "replay_store_full"}},
      {ReplayResult::kKeyQuota, {429, "key_quota"}},
      {ReplayResult::kUnavailable, {503, "replay_store_unavailable"}},
  };
  for (const auto& [result, expected] : cases) {
    replay.fixed = result;
    const auto sent = call("/orders/1");
    EXPECT_EQ(sent.client->status, expected.first);
    EXPECT_EQ(sent.client->reason(), expected.second);
  }
  EXPECT_TRUE(upstreams.opened.empty());
}

TEST_F(RequestFlowTest, WithoutKeysEverythingProtectedIs503) {
  keys.current.reset();
  const auto sent = call("/orders/1");
  EXPECT_EQ(sent.client->status, 503);
  EXPECT_EQ(sent.client->reason(), "issuer_unavailable");
  EXPECT_TRUE(sent.client->fields.contains("Retry-After"));
  EXPECT_EQ(send("/open/x", {}).client->status, 0) << "a public route needs no keys";
}

TEST_F(RequestFlowTest, AnUnknownKeyIsFetchedOnceAndTheRequestGoesOn) {
  Signer rotated;
  keys.after_refetch = keys_of(rotated, "k2", 2);
  keys.answer_at_once = false;
  const std::string t = token({}, &rotated, "k2");
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  EXPECT_EQ(keys.refetches, 1);
  EXPECT_TRUE(upstreams.opened.empty());
  keys.answer();
  EXPECT_EQ(upstreams.opened.size(), 1U) << sent.client->body;
}

// Whoever can make the keys' fetch slow must not get a copy of a proof through after the first one's entry in
// the replay store has gone.
TEST_F(RequestFlowTest, AProofWhoseTimeEndsWhileKeysAreFetchedIsRefused) {
  Signer rotated;
  keys.answer_at_once = false;
  const std::string t = token({}, &rotated, "k2");
  struct Case {
    std::chrono::milliseconds wait;
    std::string_view reason;
  };
  // max_age 60 s and a skew of 10 s
  for (const Case& c : {Case{70s, ""}, Case{70s + 1ms, "iat_too_old"}}) {
    keys.current = keys_of(issuer, "k1", 1);
    keys.after_refetch = keys_of(rotated, "k2", 2);
    const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
    advance(c.wait);
    const std::size_t claimed = replay.claims.size();
    keys.answer();
    EXPECT_EQ(sent.client->reason(), c.reason);
    EXPECT_EQ(replay.claims.size(), claimed + (c.reason.empty() ? 1 : 0));
  }
}

TEST_F(RequestFlowTest, ATokenThatEndsWhileKeysAreFetchedIsRefused) {
  Signer rotated;
  keys.after_refetch = keys_of(rotated, "k2", 2);
  keys.answer_at_once = false;
  const std::string t = token({{"exp", kStart + 5}}, &rotated, "k2");
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  advance(16s);  // past its end and the skew
  keys.answer();
  EXPECT_EQ(sent.client->reason(), "token_expired");
}

TEST_F(RequestFlowTest, AnUnknownKeyThatStaysUnknownIsRefused) {
  const std::string t = token({}, nullptr, "k9");
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  EXPECT_EQ(keys.refetches, 1);
  EXPECT_EQ(sent.client->reason(), "token_key_unknown");
}

TEST_F(RequestFlowTest, AClientThatLeavesWhileKeysAreFetchedIsForgotten) {
  keys.answer_at_once = false;
  const std::string t = token({}, nullptr, "k9");
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  sent.request->on_request_cancel(Cause::kClientGone);
  keys.answer();
  EXPECT_TRUE(upstreams.opened.empty());
  EXPECT_EQ(sent.client->status, 0);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].status, 499U);
}

TEST_F(RequestFlowTest, ARememberedTokenDiesWithItsKey) {
  const std::string t = token();
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->status, 0);
  Signer rotated;
  keys.current = keys_of(rotated, "k2", 2);
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  EXPECT_EQ(sent.client->reason(), "token_key_unknown");
  EXPECT_EQ(upstreams.opened.size(), 1U);
}

TEST_F(RequestFlowTest, ARememberedTokenDiesWithItsExp) {
  const std::string t = token();
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->status, 0);
  advance(320s);
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  EXPECT_EQ(sent.client->reason(), "token_expired");
}

TEST_F(RequestFlowTest, ARememberedTokenIsJudgedByEachRoutesDemands) {
  const std::string t = token();
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->status, 0);
  EXPECT_EQ(call("/scoped", t, proof(t, "/scoped")).client->reason(), "scope_missing");
}

TEST_F(RequestFlowTest, RememberedTokensAreForgottenWithTheRules) {
  const std::string t = token();
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->status, 0);
  auto changed = rules();
  changed->issuers[0].algorithms = jose::AlgorithmSet{jose::Algorithm::PS256};
  flow->replace_rules(changed);
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->reason(), "token_algorithm");
}

TEST_F(RequestFlowTest, WhatARequestLearnsUnderOldRulesSaysNothingToNewOnes) {
  Signer rotated;
  keys.after_refetch = keys_of(rotated, "k2", 2);
  keys.answer_at_once = false;
  const std::string t = token({}, &rotated, "k2");
  const auto old = call("/orders/1", t, proof(t, "/orders/1"));
  auto changed = rules();
  changed->issuers[0].audiences = {"another-api"};
  flow->replace_rules(changed);
  keys.answer();
  EXPECT_EQ(upstreams.opened.size(), 1U) << "it began under the old rules: " << old.client->body;
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->reason(), "token_audience");
}

TEST_F(RequestFlowTest, ANonceIsDemandedOfferedAndRenewed) {
  const std::string t = token();
  const auto first = call("/nonced", t, proof(t, "/nonced"));
  EXPECT_EQ(first.client->status, 401);
  EXPECT_EQ(first.client->reason(), "nonce_required");
  const auto offered = first.client->fields.find("DPoP-Nonce");
  ASSERT_TRUE(offered);
  const std::string nonce(*offered);

  const auto second = call("/nonced", t, proof(t, "/nonced", {{"nonce", nonce}}));
  ASSERT_EQ(upstreams.opened.size(), 1U) << second.client->body;
  upstreams.opened[0]->respond(200);
  EXPECT_FALSE(second.client->fields.contains("DPoP-Nonce")) << "a young nonce needs no successor";

  advance(200s);
  // The client's clock may be wrong: the nonce's time decides.
  const auto third = call("/nonced", t, proof(t, "/nonced", {{"nonce", nonce}, {"iat", kStart - 3600}}));
  ASSERT_EQ(upstreams.opened.size(), 2U) << third.client->body;
  upstreams.opened[1]->respond(200);
  ASSERT_TRUE(third.client->fields.contains("DPoP-Nonce"));
  EXPECT_NE(third.client->fields.find("DPoP-Nonce"), nonce);
  EXPECT_EQ(third.client->fields.find("Cache-Control"), "no-store");
}

TEST_F(RequestFlowTest, AnUnknownOriginIsMisdirectedOnProtectedRoutesOnly) {
  auto two = rules();
  two->listeners[0].origin.public_origins.push_back(*http::parse_origin("https://other.example.com"));
  flow->replace_rules(two);
  for (const auto& [path, status] : {std::pair<std::string_view, int>{"/orders/1", 421}, {"/open/1", 0}}) {
    http::RequestHead head;
    head.method = "GET";
    head.target = path;
    head.authority = "evil.example.com";
    head.fields.add("Host", "evil.example.com");
    const std::string t = token();
    head.fields.add("Authorization", "DPoP " + t);
    head.fields.add("DPoP", proof(t, path));
    auto client = make_counted<FakeClient>();
    const auto request = flow->start(std::move(head), connection, client);
    EXPECT_EQ(client->status, status) << path;
  }
}

TEST_F(RequestFlowTest, GrpcIsRefusedAsItsClientsExpect) {
  const auto refused = [&](std::uint8_t version, std::string_view path) {
    http::RequestHead head;
    head.method = "POST";
    head.target = path;
    head.authority = "api.example.com";
    head.version_major = version;
    head.fields.add("Host", "api.example.com");
    head.fields.add("Content-Type", "application/grpc+proto");
    auto client = make_counted<FakeClient>();
    (void)flow->start(std::move(head), connection, client);
    return client;
  };
  const auto none = refused(2, "/orders/7");
  EXPECT_EQ(none->status, 200);
  EXPECT_EQ(none->fields.find("grpc-status"), "16");
  EXPECT_EQ(none->fields.find("content-type"), "application/grpc");
  EXPECT_TRUE(none->fields.find("WWW-Authenticate")->starts_with("DPoP algs="));
  EXPECT_EQ(none->body, "");
  EXPECT_TRUE(none->ended);
  EXPECT_EQ(refused(2, "/nowhere")->fields.find("grpc-status"), "12");
  EXPECT_EQ(refused(2, "/closed")->fields.find("grpc-status"), "7");
  // Over HTTP/1 it cannot be gRPC.
  EXPECT_EQ(refused(1, "/orders/7")->status, 401);
  ASSERT_EQ(log.lines.size(), 4U);
  EXPECT_EQ(log.lines[0].reason, Reason::no_credentials);
  EXPECT_EQ(log.lines[0].status, 200U);
  EXPECT_EQ(log.lines[0].grpc_status, 16U);
  EXPECT_EQ(log.lines[3].grpc_status, std::nullopt);
}

// In trailers, or in the head of an answer without a message; and of HTTP, none.
TEST_F(RequestFlowTest, TheLogSaysWithWhichStatusAGrpcCallEnded) {
  const auto fields = [](std::string_view status) {
    http::Fields made;
    made.add("grpc-status", status);
    return made;
  };
  const auto open = [&](std::string_view type) -> FakeBackend& {
    http::RequestHead head;
    head.method = "POST";
    head.target = "/open/call";
    head.authority = "api.example.com";
    head.version_major = 2;
    head.fields.add("Content-Type", type);
    (void)flow->start(std::move(head), connection, make_counted<FakeClient>());
    return *upstreams.opened.back();
  };
  {
    FakeBackend& backend = open("application/grpc");
    backend.client->on_response_head({.status = 200});
    backend.client->on_response_trailers(fields("9"));
    backend.client->on_response_end();
  }
  {
    FakeBackend& backend = open("application/grpc");
    backend.client->on_response_head({.status = 200, .fields = fields("5")});
    backend.client->on_response_end();
  }
  {
    FakeBackend& backend = open("application/grpc");
    backend.client->on_response_head({.status = 200});
  }
  {
    FakeBackend& backend = open("application/json");
    backend.client->on_response_head({.status = 200, .fields = fields("5")});
    backend.client->on_response_end();
  }
  std::vector<std::optional<unsigned>> logged;
  for (const FakeLog::Line& line : log.lines) logged.push_back(line.grpc_status);
  EXPECT_EQ(logged, (std::vector<std::optional<unsigned>>{9, 5, std::nullopt}));
}

// A reset would tell a gRPC client that something was wrong with the connection.
TEST_F(RequestFlowTest, AGrpcCallThatFailsHalfWayEndsWithAStatus) {
  for (const auto& [cause, status] : {std::pair{Cause::kBackendBroken, 14U},
                                      {Cause::kBackendCancelled, 1U},
                                      {Cause::kBackendExhausted, 8U},
                                      {Cause::kBackendTimeout, 4U},
                                      {Cause::kDeadlinePassed, 4U},
                                      {Cause::kRequestTooLarge, 8U}}) {
    http::RequestHead head;
    head.method = "POST";
    head.target = "/open/call";
    head.authority = "api.example.com";
    head.version_major = 2;
    head.fields.add("Content-Type", "application/grpc");
    auto client = make_counted<FakeClient>();
    const auto request = flow->start(std::move(head), connection, client);
    FakeBackend& backend = *upstreams.opened.back();
    backend.client->on_response_head({.status = 200});
    backend.client->on_response_data(std::string_view("mess"));
    if (cause != Cause::kDeadlinePassed && cause != Cause::kRequestTooLarge) {
      backend.client->on_response_reset(cause);
    } else {
      request->on_request_cancel(cause);
      EXPECT_EQ(backend.cancelled, cause);
    }
    EXPECT_TRUE(client->ended);
    EXPECT_FALSE(client->reset);
    EXPECT_EQ(client->trailers.find("grpc-status"), std::to_string(status));
    EXPECT_NE(client->trailers.find("grpc-message"), "");
    EXPECT_EQ(log.lines.back().status, 200U);
    EXPECT_EQ(log.lines.back().grpc_status, status);
  }
}

// What it would read from the backend's RST_STREAM itself: UNAVAILABLE would have it try again.
TEST_F(RequestFlowTest, AGrpcCallThatItsBackendGivesUpIsToldSo) {
  for (const auto& [cause, status] : {std::pair{Cause::kBackendBroken, 14U},
                                      {Cause::kBackendCancelled, 1U},
                                      {Cause::kBackendExhausted, 8U}}) {
    http::RequestHead head;
    head.method = "POST";
    head.target = "/open/call";
    head.authority = "api.example.com";
    head.version_major = 2;
    head.fields.add("Content-Type", "application/grpc");
    auto client = make_counted<FakeClient>();
    const auto request = flow->start(std::move(head), connection, client);
    upstreams.opened.back()->client->on_response_reset(cause);
    EXPECT_TRUE(client->ended);
    EXPECT_EQ(client->status, 200);
    EXPECT_EQ(client->fields.find("grpc-status"), std::to_string(status));
    EXPECT_EQ(log.lines.back().grpc_status, status);
    EXPECT_EQ(log.lines.back().reason, Reason::upstream_unavailable);
  }
}

TEST_F(RequestFlowTest, ConnectAndTraceAreNotAllowed) {
  for (const std::string_view method : {"CONNECT", "TRACE"}) {
    const auto sent = send("/orders/1", {}, method);
    EXPECT_EQ(sent.client->status, 405);
    EXPECT_TRUE(sent.client->fields.contains("Allow"));
    EXPECT_EQ(log.lines.back().reason, Reason::request_malformed) << "as the answer has it";
  }
}

// RFC 9110 7.6.2. What may not be passed on any more is answered here, to those who may ask.
TEST_F(RequestFlowTest, AnOptionsGoesAsFarAsItMay) {
  (void)send("/open/1", {{"Max-Forwards", "10"}}, "OPTIONS");
  ASSERT_EQ(upstreams.opened.size(), 1U);
  EXPECT_EQ(upstreams.opened[0]->head.fields.find("Max-Forwards"), "9");
  const auto last = send("/open/1", {{"Max-Forwards", "0"}}, "OPTIONS");
  EXPECT_EQ(last.client->status, 204);
  EXPECT_TRUE(last.client->fields.contains("Allow"));
  EXPECT_EQ(log.lines.back().decision, "allow");
  EXPECT_EQ(send("/orders/1", {{"Max-Forwards", "0"}}, "OPTIONS").client->status, 401);
  EXPECT_EQ(upstreams.opened.size(), 1U);
  (void)send("/open/1", {{"Max-Forwards", "0"}});
  ASSERT_EQ(upstreams.opened.size(), 2U) << "a GET passes as it is";
  EXPECT_EQ(upstreams.opened[1]->head.fields.find("Max-Forwards"), "0");
}

// The log names whom a trusted proxy speaks for; the chain that the backend gets ends with that proxy. From
// anybody else the fields say nothing.
TEST_F(RequestFlowTest, ATrustedProxySaysWhoTheClientIs) {
  const auto trusting = rules();
  trusting->listeners[0].origin.trusted_proxies = {*http::Cidr::parse("192.0.2.0/24")};
  flow->replace_rules(trusting);
  connection.client_address = http::IpAddress::parse("192.0.2.7")->bytes();
  (void)send("/open/1", {{"X-Forwarded-For", "198.51.100.9, 203.0.113.5"}, {"X-Forwarded-For", "192.0.2.8"}});
  EXPECT_EQ(upstreams.opened.back()->head.fields.find("X-Forwarded-For"),
            "198.51.100.9, 203.0.113.5, 192.0.2.8, 192.0.2.7");
  upstreams.opened.back()->client->on_response_reset(Cause::kBackendBroken);
  EXPECT_EQ(log.lines.back().client_ip, "203.0.113.5");
  (void)send("/nowhere", {});
  EXPECT_EQ(log.lines.back().client_ip, "192.0.2.7");
  const auto odd = send("/open/1", {{"X-Forwarded-Proto", "https"}, {"Forwarded", "proto=http"}});
  EXPECT_EQ(odd.client->status, 400);
  EXPECT_NE(odd.client->body.find("Forwarded disagrees with X-Forwarded-Proto"), std::string::npos);
  connection.client_ip = "198.51.100.1";
  connection.client_address = http::IpAddress::parse("198.51.100.1")->bytes();
  (void)send("/nowhere", {{"X-Forwarded-For", "203.0.113.5"}});
  EXPECT_EQ(log.lines.back().client_ip, "198.51.100.1");
}

TEST_F(RequestFlowTest, BodiesAndCreditPassThrough) {
  const auto sent = call("/orders/1");
  ASSERT_EQ(upstreams.opened.size(), 1U);
  upstreams.opened[0]->client->grant_request(100);
  EXPECT_EQ(sent.client->granted, 100U);
  sent.request->on_request_data(std::string_view("abc"));
  sent.request->on_request_end();
  sent.request->grant_response(10);
  EXPECT_EQ(upstreams.opened[0]->body, "abc");
  EXPECT_TRUE(upstreams.opened[0]->ended);
  EXPECT_EQ(upstreams.opened[0]->granted, 10U);
}

TEST_F(RequestFlowTest, AnEndThatCameBeforeForwardingIsPassedOn) {
  Signer rotated;
  keys.after_refetch = keys_of(rotated, "k2", 2);
  keys.answer_at_once = false;
  const std::string t = token({}, &rotated, "k2");
  const auto sent = call("/orders/1", t, proof(t, "/orders/1"));
  sent.request->on_request_end();
  keys.answer();
  ASSERT_EQ(upstreams.opened.size(), 1U);
  EXPECT_TRUE(upstreams.opened[0]->ended);
}

TEST_F(RequestFlowTest, ABackendsFailureIsAnsweredBeforeAndPassedOnAfterItsHead) {
  const std::pair<Cause, std::pair<int, std::string_view>> cases[] = {
      {Cause::kBackendUnreachable, {502, "upstream_unavailable"}},
      {Cause::kNoWebSocket, {502, "upstream_unavailable"}},
      {Cause::kBackendBroken, {502, "upstream_unavailable"}},
      {Cause::kBackendTimeout, {504, "upstream_timeout"}},
      {Cause::kOverloaded, {503, "overloaded"}},
  };
  for (const auto& [cause, expected] : cases) {
    const auto sent = call("/orders/1");
    const Ref<ClientStream> flow_side = std::exchange(upstreams.opened.back()->client, nullptr);
    flow_side->on_response_reset(cause);
    EXPECT_EQ(sent.client->status, expected.first);
    EXPECT_EQ(sent.client->reason(), expected.second);
  }
  const auto sent = call("/orders/1");
  const Ref<ClientStream> flow_side = std::exchange(upstreams.opened.back()->client, nullptr);
  http::ResponseHead head;
  head.status = 200;
  flow_side->on_response_head(std::move(head));
  flow_side->on_response_reset(Cause::kBackendBroken);
  EXPECT_EQ(sent.client->status, 200);
  EXPECT_EQ(sent.client->reset, Cause::kBackendBroken);
  EXPECT_FALSE(sent.client->ended);
}

TEST_F(RequestFlowTest, AClientsCancelReachesTheBackend) {
  const auto gone = call("/orders/1");
  const Ref<FakeBackend> backend = upstreams.opened[0];
  gone.request->on_request_cancel(Cause::kClientGone);
  EXPECT_EQ(backend->cancelled, Cause::kClientGone);
  EXPECT_EQ(gone.client->status, 0);

  const auto large = call("/orders/1");
  large.request->on_request_cancel(Cause::kRequestTooLarge);
  EXPECT_EQ(upstreams.opened[1]->cancelled, Cause::kRequestTooLarge);
  EXPECT_EQ(large.client->status, 413);
}

TEST_F(RequestFlowTest, WhatTheCodecRefusedIsAnsweredAndLogged) {
  auto client = make_counted<FakeClient>();
  flow->refuse({Reason::headers_too_large, "too many"}, 431, {}, connection, client);
  EXPECT_EQ(client->status, 431);
  EXPECT_EQ(client->reason(), "headers_too_large");
  EXPECT_TRUE(client->close);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].status, 431U);
}

TEST_F(RequestFlowTest, HeadGetsNoBody) {
  const auto sent = send("/orders/1", {}, "HEAD");
  EXPECT_EQ(sent.client->status, 401);
  EXPECT_TRUE(sent.client->body.empty());
  EXPECT_TRUE(sent.client->ended);
}

TEST_F(RequestFlowTest, AnEntryInTheReplayStoreOutlivesItsProofsAcceptance) {
  static_cast<void>(call("/orders/1"));
  ASSERT_EQ(replay.claims.size(), 1U);
  EXPECT_GE(replay.claims[0].keep, 60s + 10s + 10s);
  EXPECT_EQ(replay.claims[0].issued, test_now.wall);
}

// With a nonce iat may be hours off: one that lies ahead would pass for young once its time has come.
TEST_F(RequestFlowTest, AProofWithANonceIsAsOldAsItsNonce) {
  const auto issued = [&](const std::string& nonce, std::int64_t iat) {
    const std::string t = token();
    static_cast<void>(call("/nonced", t, proof(t, "/nonced", {{"nonce", nonce}, {"iat", iat}})));
    return replay.claims.back().issued;
  };
  const Secret secret("sixteen bytes or more");
  const dpop::NonceIssuer replica(Secret(std::string(secret.reveal())), std::nullopt, 5min,
                                  dpop::nonce_mark_of(Secret("of another process")));
  const UnixTime earlier = test_now.wall - 2min;
  for (const std::int64_t iat : {kStart - 3600, kStart, kStart + 5, kStart + 3600}) {
    const UnixTime by_replica = issued(replica.issue(earlier), iat);
    EXPECT_LE(by_replica, earlier) << iat;
    EXPECT_GE(by_replica, earlier - 30s) << iat;
    EXPECT_EQ(issued(flow->rules()->nonces->issue(earlier), iat), test_now.wall)
        << "ours, and so since the store was born, whenever its slot began";
  }
}

TEST_F(RequestFlowTest, ANonceFromBeforeTheStoresBirthIsReplaced) {
  replay.fixed = ReplayResult::kBeforeBirth;
  const std::string t = token();
  const std::string nonce = flow->rules()->nonces->issue(test_now.wall);
  const auto sent = call("/nonced", t, proof(t, "/nonced", {{"nonce", nonce}}));
  EXPECT_EQ(sent.client->status, 401);
  EXPECT_EQ(sent.client->reason(), "nonce_stale");
  EXPECT_TRUE(sent.client->fields.find("WWW-Authenticate")->contains("use_dpop_nonce"));
  EXPECT_TRUE(sent.client->fields.contains("DPoP-Nonce"));
}

}  // namespace
}  // namespace holdfast::pipeline
