// What a route may require of a token's claims and of the login behind it. Contract: "Answers"; RFC 9470.
#include "refusal_cases.h"

namespace holdfast::integration {
namespace {

class RequirementsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sidecar = std::make_unique<Sidecar>(Settings{.routes = R"(
  - name: tenant
    match: {path: /tenant/**}
    require:
      claims:
        tenant: [acme, globex]
        groups: [staff]
        mail.verified: true
        level: [2, 3]
        https://example\.com/plan: paid
    upstream: backend
  - {name: strong, match: {path: /strong/**}, require: {acr: [gold, "urn:x:silver"]}, upstream: backend}
  - {name: fresh, match: {path: /fresh/**}, require: {max_auth_age: 15m}, upstream: backend}
  - {name: either, match: {path: /either/**}, access: dpop_or_bearer, require: {acr: gold}, upstream: backend}
)"});
  }
  static void TearDownTestSuite() { sidecar.reset(); }
  void SetUp() override {
    sidecar->backend.on_request([](Exchange& exchange) { exchange.respond(200, "", "ok"); });
    sidecar->backend.forget();
  }

  static Response call(std::string_view target, const std::function<void(AccessToken&)>& change) {
    AccessToken token = sidecar->token();
    change(token);
    const std::string sent = sidecar->issuer.sign(token);
    return sidecar->send(
        Sidecar::with("GET", target, sent, sidecar->proof("GET", target, sent).sign(sidecar->client)));
  }

  static std::unique_ptr<Sidecar> sidecar;
};

std::unique_ptr<Sidecar> RequirementsTest::sidecar;

TEST_F(RequirementsTest, EachClaimHasToAllow) {
  const auto good = [](AccessToken& token) {
    token.payload.text("tenant", "globex")
        .raw("groups", R"(["guests","staff"])")
        .raw("mail", R"({"verified":true})")
        .raw("level", "3.0")
        .text("https://example.com/plan", "paid");
  };
  const Response answer = call("/tenant/1", good);
  EXPECT_EQ(answer.status, 200) << answer.body;
  sidecar->backend.forget();

  const std::pair<const char*, const char*> bad[] = {
      {"tenant", "\"ACME\""},
      {"tenant", "\"acme globex\""},
      {"tenant", "[]"},
      {"tenant", "null"},
      {"tenant", "{\"acme\":true}"},
      {"groups", "\"staffs\""},
      {"groups", "[[\"staff\"]]"},
      {"mail", "true"},
      {"mail", "{\"verified\":\"true\"}"},
      {"mail", "{\"verified\":1}"},
      {"level", "\"2\""},
      {"level", "2.5"},
      {"level", "-2"},
      {"level", "[4,5]"},
      {"https://example.com/plan", "\"free\""},
  };
  for (const auto& [name, value] : bad) {
    SCOPED_TRACE(std::string(name) + ": " + value);
    const Response refused = call("/tenant/1", [&](AccessToken& token) {
      good(token);
      token.payload.raw(name, value);
    });
    expect_refusal(refused, 403, "claim_mismatch");
    EXPECT_FALSE(refused.fields.has("WWW-Authenticate")) << refused.head;
    EXPECT_EQ(refused.body.find("globex"), std::string::npos) << "what would be allowed is nobody's business";
  }
  for (const char* name : {"tenant", "groups", "mail", "level", "https://example.com/plan"}) {
    SCOPED_TRACE(name);
    expect_refusal(call("/tenant/1",
                        [&](AccessToken& token) {
                          good(token);
                          token.payload.erase(name);
                        }),
                   403, "claim_mismatch");
  }
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(RequirementsTest, AWeakLoginIsToldWhatWouldDo) {
  EXPECT_EQ(call("/strong/1", [](AccessToken& token) { token.payload.text("acr", "urn:x:silver"); }).status,
            200);
  sidecar->backend.forget();
  for (const char* acr : {"\"bronze\"", "\"gold silver\"", "\"\"", "1", "[\"gold\"]", "null"}) {
    SCOPED_TRACE(acr);
    const Response answer = call("/strong/1", [&](AccessToken& token) { token.payload.raw("acr", acr); });
    expect_refusal(answer, 401, "step_up_required");
    expect_challenge(answer, "insufficient_user_authentication");
    EXPECT_NE(answer.fields.value("WWW-Authenticate").find(R"(, acr_values="gold urn:x:silver", algs=)"),
              std::string::npos)
        << answer.head;
  }
  expect_refusal(call("/strong/1", [](AccessToken& token) { token.payload.erase("acr"); }), 401,
                 "step_up_required");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(RequirementsTest, AnOldLoginIsToldHowNewItHasToBe) {
  const auto login = [](std::int64_t ago) {
    return [ago](AccessToken& token) { token.payload.number("auth_time", support::unix_now() - ago); };
  };
  EXPECT_EQ(call("/fresh/1", login(0)).status, 200);
  EXPECT_EQ(call("/fresh/1", login(890)).status, 200);
  sidecar->backend.forget();
  for (const std::int64_t ago : {920, 86'400, -60}) {
    SCOPED_TRACE(ago);
    const Response answer = call("/fresh/1", login(ago));
    expect_refusal(answer, 401, "step_up_required");
    expect_challenge(answer, "insufficient_user_authentication");
    EXPECT_NE(answer.fields.value("WWW-Authenticate").find(R"(, max_age="900", algs=)"), std::string::npos)
        << answer.head;
  }
  expect_refusal(call("/fresh/1", [](AccessToken& token) { token.payload.erase("auth_time"); }), 401,
                 "step_up_required");
  EXPECT_EQ(sidecar->backend.seen_count(), 0U);
}

TEST_F(RequirementsTest, WithBearerTheErrorStandsThere) {
  AccessToken token = sidecar->token();
  token.payload.erase("cnf").text("typ", "Bearer").text("acr", "bronze");
  Request request;
  request.target = "/either/1";
  const Response answer =
      sidecar->send(request.add("Authorization", "Bearer " + sidecar->issuer.sign(token)));
  expect_refusal(answer, 401, "step_up_required");
  const auto challenges = answer.fields.all("WWW-Authenticate");
  ASSERT_EQ(challenges.size(), 2U) << answer.head;
  EXPECT_EQ(challenges[0].find("error"), std::string::npos) << challenges[0];
  EXPECT_TRUE(challenges[1].starts_with("Bearer error=\"insufficient_user_authentication\""))
      << challenges[1];
  EXPECT_NE(challenges[1].find(R"(, acr_values="gold")"), std::string::npos) << challenges[1];
}

}  // namespace
}  // namespace holdfast::integration
