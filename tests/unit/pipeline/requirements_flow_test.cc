// What a route requires of claims and logins, also of a token that is remembered: facts are, verdicts never.
#include "flow_test.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

class RequirementsFlowTest : public FlowTest {
 protected:
  RequirementsFlowTest() {
    policy::Route tenant{.name = "tenant", .match = {.paths = {"/tenant"}}};
    tenant.require.claims = {
        {{"tenant"}, "tenant", {"a", "b"}},
        {{"https://example.com/plan", "paid"}, R"(https://example\.com/plan.paid)", {true}},
    };
    policy::Route fresh{.name = "fresh", .match = {.paths = {"/fresh"}}};
    fresh.require.acr = {"gold", "silver"};
    fresh.require.max_auth_age = 15min;
    flow->replace_rules(rules({tenant, fresh}));
  }
};

TEST_F(RequirementsFlowTest, ClaimsAreJudgedByEachRoute) {
  const std::string good = token({{"tenant", {"x", "b"}}, {"https://example.com/plan", {{"paid", true}}}});
  const std::string unpaid = token({{"tenant", "a"}, {"https://example.com/plan", {{"paid", "true"}}}});
  const std::string foreign = token({{"tenant", "c"}, {"https://example.com/plan", {{"paid", true}}}});
  // Twice: the second time from what is remembered.
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(call("/tenant", good, proof(good, "/tenant")).client->status, 0);
    for (const std::string& bad : {unpaid, foreign}) {
      const auto sent = call("/tenant", bad, proof(bad, "/tenant"));
      EXPECT_EQ(sent.client->status, 403);
      EXPECT_EQ(sent.client->reason(), "claim_mismatch");
      EXPECT_FALSE(sent.client->fields.contains("WWW-Authenticate"));
      EXPECT_EQ(call("/orders/1", bad, proof(bad, "/orders/1")).client->status, 0);
    }
  }
  EXPECT_EQ(log.lines.at(0).reason, Reason::claim_mismatch);
}

TEST_F(RequirementsFlowTest, ALoginAgesWhileItsTokenIsRemembered) {
  const std::string t = token({{"exp", kStart + 7200}, {"auth_time", kStart}, {"acr", "silver"}});
  EXPECT_EQ(call("/fresh", t, proof(t, "/fresh")).client->status, 0);
  advance(15min + 10s);
  EXPECT_EQ(call("/fresh", t, proof(t, "/fresh")).client->status, 0);
  const std::size_t claimed = replay.claims.size();
  advance(1s);
  const auto sent = call("/fresh", t, proof(t, "/fresh"));
  EXPECT_EQ(sent.client->status, 401);
  EXPECT_EQ(sent.client->reason(), "step_up_required");
  EXPECT_EQ(replay.claims.size(), claimed) << "the proof may be sent again after the new login";
  EXPECT_EQ(call("/orders/1", t, proof(t, "/orders/1")).client->status, 0)
      << "the token itself is as good as ever";
}

TEST_F(RequirementsFlowTest, TheChallengeSaysWhatToAskTheIssuerFor) {
  const std::string t = token();
  const auto sent = call("/fresh", t, proof(t, "/fresh"));
  const std::string challenge(sent.client->fields.find("WWW-Authenticate").value_or(""));
  EXPECT_TRUE(challenge.starts_with("DPoP error=\"insufficient_user_authentication\"")) << challenge;
  EXPECT_TRUE(challenge.contains("acr_values=\"gold silver\", max_age=\"900\", algs=")) << challenge;
}

}  // namespace
}  // namespace holdfast::pipeline
