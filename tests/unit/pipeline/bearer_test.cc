// Bearer tokens, on routes that take them beside DPoP.
#include "flow_test.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

class BearerFlowTest : public FlowTest {
 protected:
  BearerFlowTest() {
    policy::Route either{
        .name = "either", .match = {.paths = {"/either/**"}}, .access = policy::Access::dpop_or_bearer};
    policy::Route nonced = either;
    nonced.name = "either-nonced";
    nonced.match.paths = {"/nonced-either"};
    nonced.nonce_required = true;
    policy::Route scoped = either;
    scoped.name = "either-scoped";
    scoped.match.paths = {"/scoped-either"};
    scoped.require.scopes = {"orders:write"};
    flow->replace_rules(rules({either, nonced, scoped}));
  }

  std::string unbound(boost::json::object changes = {}) {
    return token(std::move(changes), nullptr, "k1", {"cnf"});
  }
  Sent bearer(std::string_view path, const std::string& token) {
    return send(path, {{"Authorization", "Bearer " + token}});
  }
};

TEST_F(BearerFlowTest, AnUnboundTokenPassesAsWhatItIs) {
  const auto sent = send("/either/1", {{"Authorization", "Bearer " + unbound()},
                                       {"X-Auth-Subject", "mallory"},
                                       {"X-Auth-Key-Thumbprint", holder.jkt()}});
  ASSERT_EQ(upstreams.opened.size(), 1U) << sent.client->body;
  EXPECT_EQ(upstreams.admissions[0], Admission::Kind::kBearer);
  const http::Fields& fields = upstreams.opened[0]->head.fields;
  EXPECT_FALSE(fields.contains("Authorization"));
  EXPECT_EQ(fields.find("X-Auth-Subject"), "alice");
  EXPECT_EQ(fields.count("X-Auth-Subject"), 1U);
  EXPECT_FALSE(fields.contains("X-Auth-Key-Thumbprint")) << "no key was proven";
  EXPECT_TRUE(replay.claims.empty()) << "there is no proof to remember";

  upstreams.opened[0]->respond(200);
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0].decision, "allow");
  EXPECT_EQ(log.lines[0].scheme, "bearer");
  EXPECT_EQ(log.lines[0].sub, "alice");
  EXPECT_EQ(log.lines[0].jkt, "");
  EXPECT_EQ(log.lines[0].proof_alg, "");
}

TEST_F(BearerFlowTest, TheSameRouteTakesAProof) {
  const auto sent = call("/either/1");
  ASSERT_EQ(upstreams.opened.size(), 1U) << sent.client->body;
  EXPECT_EQ(upstreams.admissions[0], Admission::Kind::kVerified);
  EXPECT_EQ(upstreams.opened[0]->head.fields.find("X-Auth-Key-Thumbprint"), holder.jkt());
  EXPECT_EQ(replay.claims.size(), 1U);
  upstreams.opened[0]->respond(200);
  EXPECT_EQ(log.lines.at(0).scheme, "dpop");
}

// Rule 3. Whoever stole a bound token has everything but the key, and would send it like this.
TEST_F(BearerFlowTest, ABoundTokenIsRefusedInEveryForm) {
  const std::string thumbprint(43, 'A');
  const boost::json::value forms[] = {
      {{"jkt", holder.jkt()}},
      nullptr,
      boost::json::object{},
      boost::json::array{},
      "jkt",
      7,
      {{"jkt", 7}},
      {{"jwk", holder.jwk()}},
      {{"kid", "k"}},
      {{"unheard-of", true}},
      {{"x5t#S256", "short"}},
      {{"x5t#S256", nullptr}},
      {{"x5t#S256", thumbprint}, {"jkt", holder.jkt()}},
      {{"x5t#S256", thumbprint}, {"jkt", nullptr}},
      {{"x5t#S256", thumbprint}, {"kid", "k"}},
  };
  // Twice: facts from the cache are judged like fresh ones. And the certificate, even the right one, makes up
  // for nothing else.
  for (int i = 0; i < 2; ++i) {
    for (const bool shown : {false, true}) {
      connection.client_certificate =
          shown ? std::make_shared<const crypto::CertificateIdentity>(thumbprint, "CN=a") : nullptr;
      for (const boost::json::value& cnf : forms) {
        const auto sent = bearer("/either/1", token({{"cnf", cnf}}));
        EXPECT_EQ(sent.client->status, 401) << cnf;
        EXPECT_EQ(sent.client->reason(), "bearer_for_bound_token") << cnf;
      }
      EXPECT_EQ(bearer("/either/1", unbound({{"typ", "DPoP"}})).client->reason(), "bearer_for_bound_token");
    }
  }
  EXPECT_TRUE(upstreams.opened.empty());
  EXPECT_TRUE(log.lines.at(0).sub == "alice") << "the token itself was good, and the log says whose";
}

TEST_F(BearerFlowTest, ACertificatesTokenNeedsItsCertificate) {
  const std::string mine(43, 'A');
  const std::string t = token({{"cnf", {{"x5t#S256", mine.c_str()}}}});
  EXPECT_EQ(bearer("/either/1", t).client->reason(), "certificate_mismatch");
  connection.client_certificate =
      std::make_shared<const crypto::CertificateIdentity>(std::string(42, 'A') + 'E', "CN=b");
  EXPECT_EQ(bearer("/either/1", t).client->reason(), "certificate_mismatch");
  connection.client_certificate = std::make_shared<const crypto::CertificateIdentity>(mine, "CN=a");
  EXPECT_EQ(bearer("/either/1", t).client->status, 0);
  EXPECT_EQ(upstreams.admissions, std::vector{Admission::Kind::kBearer});
}

// A token without cnf.jkt proves nothing with a proof beside it: any key would do.
TEST_F(BearerFlowTest, TheDpopSchemeAlwaysNeedsABoundToken) {
  const std::string t = unbound();
  EXPECT_EQ(call("/either/1", t, proof(t, "/either/1")).client->reason(), "token_unbound");
  EXPECT_EQ(send("/either/1", {{"Authorization", "DPoP " + t}}).client->reason(), "proof_missing");
  EXPECT_EQ(bearer("/orders/1", t).client->reason(), "bearer_refused");
  EXPECT_TRUE(upstreams.opened.empty());
}

TEST_F(BearerFlowTest, EverythingElseAboutTheTokenCountsToo) {
  EXPECT_EQ(bearer("/either/1", unbound({{"exp", kStart - 100}})).client->reason(), "token_expired");
  EXPECT_EQ(bearer("/either/1", unbound({{"aud", "other"}})).client->reason(), "token_audience");
  EXPECT_EQ(bearer("/either/1", unbound({{"iss", "https://evil"}})).client->reason(), "token_issuer");
  EXPECT_EQ(bearer("/either/1", token({}, &stranger, "k1", {"cnf"})).client->reason(), "token_signature");
  EXPECT_EQ(bearer("/either/1", "opaque").client->reason(), "token_malformed");
  EXPECT_EQ(bearer("/scoped-either", unbound()).client->reason(), "scope_missing");
  EXPECT_EQ(bearer("/scoped-either", unbound({{"scope", "orders:write"}})).client->status, 0);
  // A remembered one dies with its exp.
  const std::string t = unbound();
  EXPECT_EQ(bearer("/either/1", t).client->status, 0);
  advance(320s);
  EXPECT_EQ(bearer("/either/1", t).client->reason(), "token_expired");
}

// A nonce belongs to a proof; a bearer token has none to put it into.
TEST_F(BearerFlowTest, ANonceIsForProofsOnly) {
  EXPECT_EQ(bearer("/nonced-either", unbound()).client->status, 0);
  upstreams.opened.at(0)->respond(200);
  const std::string t = token();
  const auto sent = call("/nonced-either", t, proof(t, "/nonced-either"));
  EXPECT_EQ(sent.client->reason(), "nonce_required");
  EXPECT_TRUE(sent.client->fields.contains("DPoP-Nonce"));
}

TEST_F(BearerFlowTest, BothSchemesAreNamedAndTheErrorStandsOnTheOneTried) {
  const auto challenges = [](const Sent& sent) {
    std::vector<std::string> out;
    for (const http::Field& field : sent.client->fields) {
      if (field.name == "WWW-Authenticate") out.emplace_back(field.value);
    }
    return out;
  };
  const auto none = challenges(send("/either/1", {}));
  ASSERT_EQ(none.size(), 2U);
  EXPECT_TRUE(none[0].starts_with("DPoP algs=")) << none[0];
  EXPECT_EQ(none[1], "Bearer");
  const auto bound = challenges(bearer("/either/1", token()));
  ASSERT_EQ(bound.size(), 2U);
  EXPECT_FALSE(bound[0].contains("error")) << bound[0];
  EXPECT_TRUE(bound[1].starts_with("Bearer error=\"invalid_token\"")) << bound[1];
  const std::string t = unbound();
  const auto proven = challenges(call("/either/1", t, proof(t, "/either/1")));
  ASSERT_EQ(proven.size(), 2U);
  EXPECT_TRUE(proven[0].starts_with("DPoP error=\"invalid_token\"")) << proven[0];
  EXPECT_EQ(proven[1], "Bearer");
}

}  // namespace
}  // namespace holdfast::pipeline
