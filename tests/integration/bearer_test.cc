// Routes that take both schemes, for a migration: unbound tokens pass as Bearer, bound ones only with a
// proof. Contract: "Answers"; rule 3 of the verifier.
#include "sidecar.h"

namespace holdfast::integration {
namespace {

constexpr const char* kTarget = "/either/1";

class BearerTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sidecar = std::make_unique<Sidecar>(Settings{
        .routes =
            "  - {name: either, match: {path: /either/**}, access: dpop_or_bearer, upstream: backend}\n"});
  }
  static void TearDownTestSuite() { sidecar.reset(); }
  void SetUp() override {
    sidecar->backend.on_request([](Exchange& exchange) { exchange.respond(200, "", "ok"); });
    sidecar->backend.forget();
  }

  // A token as Keycloak issues it without a proof, then changed.
  static std::string token_with(const std::function<void(AccessToken&)>& change) {
    AccessToken token = sidecar->token();
    token.payload.erase("cnf").text("typ", "Bearer");
    change(token);
    return sidecar->issuer.sign(token);
  }
  static std::string unbound() {
    return token_with([](AccessToken&) {});
  }
  static Request bearer(const std::string& token, std::string_view target = kTarget) {
    Request request;
    request.target = target;
    return request.add("Authorization", "Bearer " + token);
  }
  static void expect_both(const Response& answer, std::string_view dpop, std::string_view bearer) {
    const auto challenges = answer.fields.all("WWW-Authenticate");
    ASSERT_EQ(challenges.size(), 2U) << answer.head;
    EXPECT_TRUE(challenges[0].starts_with("DPoP " + std::string(dpop))) << challenges[0];
    EXPECT_NE(challenges[0].find("algs=\""), std::string::npos) << challenges[0];
    EXPECT_TRUE(challenges[1].starts_with("Bearer" + std::string(bearer))) << challenges[1];
    if (bearer.empty()) {
      EXPECT_EQ(challenges[1],
                "Bearer "
                "resource_metadata=\"https://api.example.com/.well-known/oauth-protected-resource\"");
    }
  }

  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<Sidecar> BearerTest::sidecar;

TEST_F(BearerTest, AnUnboundTokenPassesWithoutAKey) {
  Request request = bearer(unbound());
  request.add("X-Auth-Key-Thumbprint", "forged").add("DPoP", "eyJ.eyJ.sig");
  const Response answer = sidecar->send(request);
  EXPECT_EQ(answer.status, 200) << answer.body;
  const auto seen = sidecar->backend.last();
  EXPECT_EQ(seen.fields.all("X-Auth-Subject"), std::vector<std::string>{"8d1f3f0c-alice"});
  EXPECT_FALSE(seen.fields.has("X-Auth-Key-Thumbprint"));
  EXPECT_FALSE(seen.fields.has("Authorization"));
  EXPECT_FALSE(seen.fields.has("DPoP"));
  EXPECT_EQ(sidecar->send(bearer(unbound())).status, 200);

  EXPECT_TRUE(sidecar->holdfast->wait_out(R"("scheme":"bearer","sub":"8d1f3f0c-alice")"));
  EXPECT_NE(sidecar->holdfast->out().find(R"("jkt":null)"), std::string::npos);
  Stream probes = Stream::plain(sidecar->probes_port);
  probes.send("GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(MessageReader(probes).response().body.find(
                R"(holdfast_credentials_total{route="either",scheme="bearer"} )"),
            std::string::npos);
}

TEST_F(BearerTest, ABoundTokenPassesWithItsProofAlone) {
  EXPECT_EQ(sidecar->send(sidecar->with_proof("GET", kTarget)).status, 200);
  EXPECT_EQ(sidecar->backend.last().fields.value("X-Auth-Key-Thumbprint"), sidecar->client.thumbprint());
  sidecar->backend.forget();

  const std::vector<std::function<void(AccessToken&)>> bound{
      [](AccessToken& token) { token.bind(sidecar->client); },
      [](AccessToken& token) { token.payload.text("typ", "DPoP"); },
      [](AccessToken& token) { token.payload.raw("cnf", "null"); },
      [](AccessToken& token) { token.payload.raw("cnf", "{}"); },
      [](AccessToken& token) { token.payload.raw("cnf", "\"jkt\""); },
      [](AccessToken& token) { token.payload.raw("cnf", R"({"jwk":)" + sidecar->client.public_jwk() + "}"); },
      [](AccessToken& token) { token.payload.raw("cnf", R"({"kid":"k"})"); },
      [](AccessToken& token) { token.payload.raw("cnf", R"({"x5t#S256":7})"); },
  };
  for (std::size_t i = 0; i < bound.size(); ++i) {
    SCOPED_TRACE(i);
    const std::string token = token_with(bound[i]);
    for (const bool with_proof : {false, true}) {
      Request request = bearer(token);
      if (with_proof) request.add("DPoP", sidecar->proof("GET", kTarget, token).sign(sidecar->client));
      const Response answer = sidecar->send(request);
      expect_refusal(answer, 401, "bearer_for_bound_token");
      expect_both(answer, "algs=", " error=\"invalid_token\"");
    }
  }
  const std::string certificate = token_with([](AccessToken& token) {
    token.payload.raw("cnf", R"({"x5t#S256":")" + support::base64url(support::sha256("a")) + "\"}");
  });
  expect_refusal(sidecar->send(bearer(certificate)), 401, "certificate_mismatch");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(BearerTest, TheDpopSchemeNeedsABoundToken) {
  const std::string token = unbound();
  const Response answer = sidecar->send(
      Sidecar::with("GET", kTarget, token, sidecar->proof("GET", kTarget, token).sign(sidecar->client)));
  expect_refusal(answer, 401, "token_unbound");
  expect_both(answer, "error=\"invalid_token\"", "");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(BearerTest, WithoutCredentialsBothSchemesAreOffered) {
  Request request;
  request.target = kTarget;
  const Response none = sidecar->send(request);
  expect_refusal(none, 401, "no_credentials");
  expect_both(none, "algs=", "");
  const Response two = sidecar->send(bearer(unbound()).add("Authorization", "Bearer x"));
  expect_refusal(two, 400, "authorization_multiple");
  expect_both(two, "error=\"invalid_request\"", " error=\"invalid_request\"");
}

TEST_F(BearerTest, OtherRoutesStayAsTheyAre) {
  expect_refusal(sidecar->send(bearer(unbound(), "/orders/1")), 401, "bearer_refused");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

}  // namespace
}  // namespace holdfast::integration
