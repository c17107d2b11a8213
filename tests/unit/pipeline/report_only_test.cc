// Routes that report only (enforce: false): what speaks against a caller is logged and the request passes as
// it came, without a word about who is calling; and nothing of that reaches a route that enforces.
#include "flow_test.h"
#include "pipeline/verifier.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

class ReportOnlyTest : public FlowTest {
 protected:
  ReportOnlyTest() {
    const auto trial = [](std::string name, std::string path) {
      policy::Route route{.name = std::move(name), .match = {.paths = {std::move(path)}}};
      route.enforce = false;
      return route;
    };
    policy::Route scoped = trial("trial-scoped", "/trial/scoped");
    scoped.require.scopes = {"orders:write"};
    policy::Route nonced = trial("trial-nonced", "/trial/nonced");
    nonced.nonce_required = true;
    policy::Route either = trial("trial-either", "/trial/either");
    either.access = policy::Access::dpop_or_bearer;
    policy::Route closed = trial("trial-closed", "/trial/closed");
    closed.access = policy::Access::deny;
    policy::Route stream = trial("trial-stream", "/trial/stream");
    auto made = rules({scoped, nonced, either, closed, stream, trial("trial", "/trial/**")});
    made->links[4].close_at_expiry = true;
    flow->replace_rules(made);
  }

  // The request came through although there was `reason` against it, and its head went on as it was.
  void expect_reported(const Sent& sent, Reason reason, std::string_view authorization) {
    ASSERT_FALSE(upstreams.opened.empty());
    EXPECT_EQ(sent.client->status, 0) << sent.client->body;
    EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kUnenforced);
    const http::Fields& fields = upstreams.opened.back()->head.fields;
    EXPECT_EQ(fields.find("Authorization").value_or(""), authorization);
    EXPECT_FALSE(fields.contains("X-Auth-Subject"));
    EXPECT_FALSE(fields.contains("X-Auth-Key-Thumbprint"));
    EXPECT_FALSE(fields.contains("X-Client-Subject"));
    upstreams.opened.back()->respond(200);
    EXPECT_EQ(sent.client->status, 200);
    ASSERT_FALSE(log.lines.empty());
    EXPECT_EQ(log.lines.back().decision, "report");
    EXPECT_EQ(log.lines.back().reason, reason) << reason_name(*log.lines.back().reason);
    EXPECT_EQ(log.lines.back().status, 200U);
  }
};

TEST_F(ReportOnlyTest, WhatSpeaksAgainstACallerIsToldAndTheRequestPassesAsItCame) {
  const std::string t = token();
  const std::string expired = token({{"exp", kStart - 60}});
  const std::string forged = token({}, &stranger);
  const std::string unbound = token({}, nullptr, "k1", {"cnf"});
  const std::string dpop = "DPoP " + t;
  using Fields = std::vector<std::pair<std::string, std::string>>;
  struct Case {
    Reason reason;
    Fields fields;
  };
  const std::string p = "/trial/1";
  for (const Case& c : std::initializer_list<Case>{
           {Reason::no_credentials, {}},
           {Reason::bearer_refused, {{"Authorization", "Bearer " + unbound}}},
           {Reason::bearer_refused, {{"Authorization", "Bearer " + t}, {"DPoP", proof(t, p)}}},
           {Reason::authorization_malformed, {{"Authorization", "DPoP one two"}}},
           {Reason::proof_missing, {{"Authorization", dpop}}},
           {Reason::proof_multiple, {{"Authorization", dpop}, {"DPoP", proof(t, p)}, {"DPoP", proof(t, p)}}},
           {Reason::proof_malformed, {{"Authorization", dpop}, {"DPoP", "eyJ"}}},
           {Reason::htu_mismatch, {{"Authorization", dpop}, {"DPoP", proof(t, "/trial/2")}}},
           {Reason::iat_too_old, {{"Authorization", dpop}, {"DPoP", proof(t, p, {{"iat", kStart - 600}})}}},
           {Reason::ath_mismatch, {{"Authorization", dpop}, {"DPoP", proof(expired, p)}}},
           {Reason::token_expired, {{"Authorization", "DPoP " + expired}, {"DPoP", proof(expired, p)}}},
           {Reason::token_signature, {{"Authorization", "DPoP " + forged}, {"DPoP", proof(forged, p)}}},
           {Reason::token_unbound, {{"Authorization", "DPoP " + unbound}, {"DPoP", proof(unbound, p)}}},
           {Reason::key_mismatch, {{"Authorization", dpop}, {"DPoP", proof(t, p, {}, &stranger)}}},
       }) {
    SCOPED_TRACE(reason_name(c.reason));
    Fields fields = c.fields;
    fields.emplace_back("X-Auth-Subject", "mallory");
    fields.emplace_back("X_Auth_Key_Thumbprint", "mallory");
    fields.emplace_back("X-Client-Subject", "CN=mallory");
    const std::string authorization = fields[0].first == "Authorization" ? fields[0].second : "";
    const std::string sent_proof = c.fields.size() > 1 ? c.fields[1].second : "";
    const Sent sent = send(p, fields);
    expect_reported(sent, c.reason, authorization);
    EXPECT_EQ(upstreams.opened.back()->head.fields.find("DPoP").value_or(""), sent_proof);
  }
  EXPECT_TRUE(replay.claims.empty()) << "a refused request claims nothing, enforced or not";
}

TEST_F(ReportOnlyTest, PolicyKeysReplayAndOriginAreReportedToo) {
  const std::string t = token();
  const std::string dpop = "DPoP " + t;
  expect_reported(call("/trial/scoped", t, proof(t, "/trial/scoped")), Reason::scope_missing, dpop);
  const std::string bound = token();
  expect_reported(send("/trial/either", {{"Authorization", "Bearer " + bound}}),
                  Reason::bearer_for_bound_token, "Bearer " + bound);

  const std::string again = proof(t, "/trial/1");
  const Sent first = call("/trial/1", t, again);
  EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kVerified);
  EXPECT_EQ(replay.claims.size(), 1U);
  expect_reported(call("/trial/1", t, again), Reason::proof_replayed, dpop);
  for (const auto& [result, reason] :
       {std::pair(ReplayResult::kFull, Reason::replay_store_full),
        std::pair(ReplayResult::kKeyQuota, Reason::key_quota),
        std::pair(ReplayResult::kUnavailable, Reason::replay_store_unavailable),
        std::pair(ReplayResult::kBeforeBirth, Reason::iat_too_old)}) {
    replay.fixed = result;
    expect_reported(call("/trial/1", t, proof(t, "/trial/1")), reason, dpop);
  }
  replay.fixed.reset();

  const std::string rotated = token({}, nullptr, "k2");
  expect_reported(call("/trial/1", rotated, proof(rotated, "/trial/1")), Reason::token_key_unknown,
                  "DPoP " + rotated);
  keys.current.reset();
  expect_reported(call("/trial/1", t, proof(t, "/trial/1")), Reason::issuer_unavailable, dpop);

  auto made = std::make_shared<Rules>(Rules{.routes = policy::RouteTable({[] {
                                              policy::Route route{.name = "trial"};
                                              route.enforce = false;
                                              return route;
                                            }()}),
                                            .links = {{.issuers = {0}}},
                                            .headers = identity::HeaderPlan({})});
  made->listeners.push_back({.name = "public",
                             .origin = {.public_origins = {*http::parse_origin("https://a.example"),
                                                           *http::parse_origin("https://b.example")}}});
  flow->replace_rules(made);
  expect_reported(call("/trial/1", t, proof(t, "/trial/1")), Reason::origin_unknown, dpop);
}

TEST_F(ReportOnlyTest, WhoPassesIsNamedBesideHisCredentials) {
  const crypto::CertificateIdentity certificate{.subject = "CN=client"};
  connection.client_certificate = std::make_shared<const crypto::CertificateIdentity>(certificate);
  const std::string t = token();
  const std::string p = proof(t, "/trial/1");
  const Sent sent =
      send("/trial/1", {{"Authorization", "DPoP " + t}, {"DPoP", p}, {"X-Auth-Subject", "mallory"}});
  EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kVerified);
  const http::Fields& fields = upstreams.opened.back()->head.fields;
  EXPECT_EQ(fields.find("X-Auth-Subject"), "alice");
  EXPECT_EQ(fields.find("X-Auth-Key-Thumbprint"), holder.jkt());
  EXPECT_EQ(fields.find("X-Client-Subject"), "CN=client");
  EXPECT_EQ(fields.find("Authorization"), "DPoP " + t);
  EXPECT_EQ(fields.find("DPoP"), p);
  upstreams.opened.back()->respond(200);
  EXPECT_EQ(log.lines.back().decision, "allow");
  EXPECT_EQ(log.lines.back().reason, std::nullopt);
  // And a certificate says nothing about who was not let in by name.
  expect_reported(send("/trial/1", {}), Reason::no_credentials, "");
}

TEST_F(ReportOnlyTest, WhatIsWrongWithTheRequestOrTheServerRefuses) {
  const auto refused = [this](const Sent& sent, std::uint16_t status, std::string_view reason) {
    EXPECT_EQ(sent.client->status, status);
    EXPECT_EQ(sent.client->reason(), reason);
    EXPECT_EQ(log.lines.back().decision, "deny");
  };
  refused(send("/trial/closed", {}), 403, "route_denied");
  refused(send("/nowhere", {}), 404, "no_route");
  refused(send("/trial/%zz", {}), 400, "request_malformed");
  refused(send("/trial/..%2forders/1", {}), 400, "request_malformed");
  upstreams.overloaded = true;
  refused(call("/trial/1"), 503, "overloaded");
  upstreams.overloaded = false;
  short_of_memory = true;
  refused(call("/trial/1"), 503, "overloaded");
  EXPECT_TRUE(upstreams.opened.empty());
}

TEST_F(ReportOnlyTest, NothingOfItReachesARouteThatEnforces) {
  const std::string t = token();
  const std::string expired = token({{"exp", kStart - 60}});
  const auto both = [&](const std::string& credential, std::string_view path, const Signer* by = nullptr) {
    return call(path, credential, proof(credential, path, {}, by));
  };
  // The same evidence, first where it is only reported, so that whatever is remembered of it is.
  for (int i = 0; i < 2; ++i) {
    expect_reported(both(expired, "/trial/1"), Reason::token_expired, "DPoP " + expired);
    EXPECT_EQ(both(expired, "/orders/1").client->reason(), "token_expired");
    expect_reported(both(t, "/trial/1", &stranger), Reason::key_mismatch, "DPoP " + t);
    EXPECT_EQ(both(t, "/orders/1", &stranger).client->reason(), "key_mismatch");
    expect_reported(both(t, "/trial/scoped"), Reason::scope_missing, "DPoP " + t);
    EXPECT_EQ(both(t, "/scoped").client->reason(), "scope_missing");
  }
  EXPECT_FALSE(Verifier::admit_unenforced({.name = "enforcing"}));
  policy::Route route{.name = "public", .access = policy::Access::public_access};
  route.enforce = false;
  EXPECT_FALSE(Verifier::admit_unenforced(route));
  route.access = policy::Access::deny;
  EXPECT_FALSE(Verifier::admit_unenforced(route));
  route.access = policy::Access::dpop;
  EXPECT_TRUE(Verifier::admit_unenforced(route));
}

TEST_F(ReportOnlyTest, AClientLearnsItsNonceFromASuccess) {
  const std::string t = token();
  const auto nonce_of = [this](const Sent& sent) {
    upstreams.opened.back()->respond(200);
    return std::string(sent.client->fields.find("DPoP-Nonce").value_or(""));
  };
  EXPECT_EQ(nonce_of(send("/trial/nonced", {})), "") << "it speaks no DPoP: its answers stay as they are";
  EXPECT_EQ(nonce_of(call("/trial/1", t, proof(t, "/trial/2"))), "") << "the route wants none";
  const Sent without = call("/trial/nonced", t, proof(t, "/trial/nonced"));
  EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kUnenforced);
  const std::string nonce = nonce_of(without);
  EXPECT_EQ(log.lines.back().reason, Reason::nonce_required);
  ASSERT_NE(nonce, "");
  EXPECT_EQ(without.client->fields.find("Cache-Control"), "no-store");
  const Sent with = call("/trial/nonced", t, proof(t, "/trial/nonced", {{"nonce", nonce}}));
  EXPECT_EQ(upstreams.admissions.back(), Admission::Kind::kVerified);
  EXPECT_EQ(nonce_of(with), "") << "it is young";
  advance(200s);
  const Sent old = call("/trial/nonced", t, proof(t, "/trial/nonced", {{"nonce", nonce}}));
  EXPECT_NE(nonce_of(old), "");
}

TEST_F(ReportOnlyTest, AStreamGoesOnWhenItsTokenEnds) {
  const std::string t = token({{"exp", kStart + 60}});
  const std::string weak = token({{"exp", kStart - 60}});
  for (const std::string& each : {t, weak}) {
    const Sent sent = call("/trial/stream", each, proof(each, "/trial/stream"));
    http::ResponseHead head;
    head.status = 200;
    head.body.kind = http::BodyLength::Kind::kUnknown;
    upstreams.opened.back()->client->on_response_head(std::move(head));
    alarms.pass(1h);
    EXPECT_EQ(sent.client->reset, std::nullopt);
    EXPECT_FALSE(sent.client->ended);
    EXPECT_EQ(alarms.made, 0);
    upstreams.opened.back()->client->on_response_end();
    test_now = {UnixTime(std::chrono::seconds(kStart)), test_now.steady};
  }
}

TEST_F(ReportOnlyTest, TheDecisionsReasonStaysWhenTheBackendFails) {
  const Sent sent = send("/trial/1", {});
  const Ref<ClientStream> answer = upstreams.opened.back()->client;
  upstreams.opened.back()->client.reset();
  answer->on_response_reset(Cause::kBackendUnreachable);
  EXPECT_EQ(sent.client->status, 502);
  EXPECT_EQ(log.lines.back().decision, "report");
  EXPECT_EQ(log.lines.back().reason, Reason::no_credentials);
}

}  // namespace
}  // namespace holdfast::pipeline
