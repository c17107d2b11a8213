// Rules 3 and 22: what an issuer answers about a token, and how long that counts.
#include "token/introspection_response.h"

#include <gtest/gtest.h>

#include <utility>

#include "jose/json.h"
#include "token/claims.h"
#include "token/verify.h"

namespace holdfast::token {
namespace {

using std::chrono::seconds;

constexpr UnixTime kNow{seconds(1'700'000'000)};
constexpr std::string_view kIssuer = "https://id.example/";

// An answer that is taken, with more members or others in their place.
std::string active(std::string_view more = "") {
  return R"({"active":true,"token_type":"DPoP","aud":"orders-api","exp":1700000300,"cnf":{"jkt":"THUMB"})" +
         std::string(more.empty() ? "" : ",") + std::string(more) + "}";
}

AccessToken jwt(std::string_view more = "") {
  AccessToken token = *read_claims(
      jose::parse_json_object(R"({"iss":"https://id.example/","exp":1700000200,"typ":"DPoP","sid":"s",)"
                              R"("scope":"own","cnf":{"jkt":"THUMB"})" +
                              std::string(more.empty() ? "" : ",") + std::string(more) + "}")
          .value());
  token.alg = jose::Algorithm::RS256;
  token.kid = "k1";
  return token;
}

TEST(IntrospectionResponse, TheFactsAreThoseOfAJwt) {
  // Keycloak 26.7.5's answer, without what is not looked at.
  const auto token = read_introspection(
      R"({"exp":1700000300,"iat":1700000000,"jti":"1","iss":"https://id.example/","aud":["orders-api"],"sub":"u-1",)"
      R"("typ":"DPoP","azp":"orders-web","sid":"s","acr":"1","realm_access":{"roles":["clerk"]},)"
      R"("resource_access":{"orders-api":{"roles":["approver"]}},"cnf":{"jkt":"THUMB","kc-jkt-type":"x"},"scope":"openid orders:read",)"
      R"("email_verified":true,"preferred_username":"alice","email":"alice@example.com","client_id":"orders-web","username":"alice@login",)"
      R"("token_type":"DPoP","active":true})",
      kIssuer, nullptr);
  ASSERT_TRUE(token) << token.error().detail;
  EXPECT_EQ(token->iss, kIssuer);
  EXPECT_EQ(token->sub, "u-1");
  EXPECT_EQ(token->client_id, "orders-web");
  EXPECT_EQ(token->aud, std::vector<std::string>{"orders-api"});
  EXPECT_EQ(token->exp, UnixTime(seconds(1'700'000'300)));
  EXPECT_EQ(token->scopes, (std::vector<std::string>{"openid", "orders:read"}));
  EXPECT_EQ(token->realm_roles, std::vector<std::string>{"clerk"});
  EXPECT_EQ(token->client_roles,
            (std::vector<std::pair<std::string, std::string>>{{"orders-api", "approver"}}));
  EXPECT_EQ(token->cnf.jkt, "THUMB");
  EXPECT_EQ(token->preferred_username, "alice");
  EXPECT_EQ(token->email, "alice@example.com");
  EXPECT_TRUE(token->email_verified);
  EXPECT_TRUE(token->dpop_by_introspection);
}

TEST(IntrospectionResponse, AnAnswerIsAnObjectThatSaysActiveWithABoolean) {
  for (const std::string_view body :
       {"", "{", "[]", "true", "<html>", "{}", R"({"active":"true"})", R"({"active":1})",
        R"({"active":null})", R"({"active":[true]})", R"({"Active":true})",
        R"({"active":false,"active":true})", R"({"active":true} x)", "{\"active\":true,\"x\":\"\xff\"}",
        R"({"active":true,"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}})"}) {
    const auto token = read_introspection(body, kIssuer, nullptr);
    ASSERT_FALSE(token) << body;
    EXPECT_EQ(token.error().reason, Reason::introspection_unavailable) << body;
  }
  const std::string large = active(R"("pad":")" + std::string(kMaxIntrospectionSize, 'x') + '"');
  EXPECT_EQ(read_introspection(large, kIssuer, nullptr).error().reason, Reason::introspection_unavailable);
}

TEST(IntrospectionResponse, InactiveIsInactiveWhateverElseItSays) {
  for (
      const std::string_view body :
      {R"({"active":false})", R"({"active":false,"exp":"soon","token_type":7})",
       R"({"active":false,"token_type":"DPoP","aud":"orders-api","exp":1700000300,"cnf":{"jkt":"THUMB"}})"}) {
    const auto token = read_introspection(body, kIssuer, nullptr);
    ASSERT_FALSE(token) << body;
    EXPECT_EQ(token.error().reason, Reason::token_inactive) << body;
  }
}

TEST(IntrospectionResponse, OtherKindsOfTokensAreNoAccessTokens) {
  struct Case {
    std::string_view members;
    bool taken;
  };
  for (const Case& c : {
           Case{R"("token_type":"DPoP")", true},
           Case{R"("token_type":"dpop")", true},
           Case{R"("token_type":"Bearer")", true},
           Case{R"("aud":"orders-api")", true},
           Case{R"("token_use":"access_token")", true},
           Case{R"("token_use":"access")", true},
           Case{R"("token_type":"refresh_token","aud":"orders-api")", false},
           Case{R"("token_type":"N_A")", false},
           Case{R"("token_type":["DPoP"])", false},
           Case{R"("token_type":null,"aud":"orders-api")", false},
           Case{R"("token_type":"Bearer","token_use":"refresh_token")", false},
           Case{R"("token_type":"Bearer","token_use":"id")", false},
           Case{R"("token_type":"Bearer","token_use":1)", false},
           // oidc-provider says nothing of either kind about a refresh token
           Case{R"("client_id":"app","scope":"openid")", false},
           Case{R"("token_type":"DPoP","typ":"Refresh")", false},
           Case{R"("token_type":"DPoP","typ":"ID")", false},
       }) {
    const auto token = read_introspection(
        R"({"active":true,"exp":1700000300,"cnf":{"jkt":"THUMB"},)" + std::string(c.members) + "}", kIssuer,
        nullptr);
    EXPECT_EQ(token.has_value(), c.taken) << c.members;
    if (!token) {
      EXPECT_EQ(token.error().reason, Reason::token_type) << c.members;
    }
  }
  // A JWT that verified has shown what it is.
  const AccessToken own = jwt();
  EXPECT_TRUE(read_introspection(R"({"active":true})", kIssuer, &own));
  EXPECT_FALSE(read_introspection(R"({"active":true,"token_type":"refresh_token"})", kIssuer, &own));
}

TEST(IntrospectionResponse, ClaimsThatDecideHaveTheirType) {
  for (const std::string_view members :
       {R"("exp":"1700000300")", R"("exp":null)", R"("exp":1700000300,"nbf":"0")",
        R"("exp":1700000300,"iat":{})", R"("exp":1700000300,"aud":{"a":1})", R"("exp":1700000300,"sub":7)",
        R"("exp":1700000300,"iss":7)", R"("exp":1700000300,"auth_time":"x")", R"("scope":"a")"}) {
    const auto token = read_introspection(
        R"({"active":true,"token_type":"DPoP",)" + std::string(members) + "}", kIssuer, nullptr);
    ASSERT_FALSE(token) << members;
    EXPECT_EQ(token.error().reason, Reason::token_malformed) << members;
  }
}

TEST(IntrospectionResponse, WhatItLeavesOut) {
  const auto token = read_introspection(active(), kIssuer, nullptr);
  ASSERT_TRUE(token);
  EXPECT_EQ(token->iss, kIssuer) << "it came from the one who was asked";
  EXPECT_EQ(token->sub, std::nullopt);
  EXPECT_EQ(token->preferred_username, std::nullopt);
  const auto named = read_introspection(active(R"("username":"alice")"), kIssuer, nullptr);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->preferred_username, "alice");
  EXPECT_FALSE(
      read_introspection(R"({"active":true,"token_type":"Bearer","exp":1700000300})", kIssuer, nullptr)
          ->dpop_by_introspection);
}

// What judge() makes of the facts; the reason's word where it refuses.
std::string judged(const Checked<AccessToken>& token, const IssuerRules& rules, UnixTime now = kNow) {
  if (!token) return std::string(reason_name(token.error().reason));
  const auto verdict = judge(*token, rules, now);
  return verdict ? "passes" : std::string(reason_name(verdict.error().reason));
}

TEST(IntrospectionResponse, FactsAreJudgedLikeAJwts) {
  IssuerRules rules;
  rules.issuer = kIssuer;
  rules.audiences = {"orders-api"};
  IssuerRules any = rules;
  any.any_audience = true;
  const auto read = [](std::string_view members) {
    return read_introspection(R"({"active":true,"token_type":"DPoP",)" + std::string(members) + "}", kIssuer,
                              nullptr);
  };
  EXPECT_EQ(judged(read(R"("aud":"orders-api","exp":1700000300)"), rules), "passes");
  EXPECT_EQ(judged(read(R"("aud":["x","orders-api"],"exp":1700000300)"), rules), "passes");
  EXPECT_EQ(judged(read(R"("aud":"x","exp":1700000300)"), rules), "token_audience");
  EXPECT_EQ(judged(read(R"("exp":1700000300)"), rules), "token_audience") << "closed without aud";
  EXPECT_EQ(judged(read(R"("exp":1700000300)"), any), "passes");
  EXPECT_EQ(judged(read(R"("aud":"orders-api","exp":1699999990)"), rules), "token_expired");
  EXPECT_EQ(judged(read(R"("aud":"orders-api","exp":1700000300,"nbf":1700000100)"), rules),
            "token_not_yet_valid");
  EXPECT_EQ(judged(read(R"("aud":"orders-api","exp":1700000300,"iat":1700000100)"), rules),
            "token_not_yet_valid");
  EXPECT_EQ(judged(read(R"("aud":"orders-api","exp":1700000300,"iss":"https://evil.example/")"), rules),
            "token_issuer");
}

TEST(IntrospectionResponse, ItsMembersTakeThePlaceOfTheTokensOwn) {
  const AccessToken own = jwt(R"("aud":"orders-api","sub":"own-sub")");
  const auto bare = read_introspection(R"({"active":true})", kIssuer, &own);
  ASSERT_TRUE(bare) << bare.error().detail;
  EXPECT_EQ(bare->sub, "own-sub");
  EXPECT_EQ(bare->scopes, std::vector<std::string>{"own"});
  EXPECT_EQ(bare->aud, std::vector<std::string>{"orders-api"});
  EXPECT_EQ(bare->exp, own.exp);
  EXPECT_EQ(bare->cnf.jkt, "THUMB");
  EXPECT_EQ(bare->alg, jose::Algorithm::RS256);
  EXPECT_EQ(bare->kid, "k1");

  const auto full = read_introspection(
      R"({"active":true,"sub":"u-1","scope":"a b","exp":1700000100,"realm_access":{"roles":["clerk"]},"token_type":"DPoP"})",
      kIssuer, &own);
  ASSERT_TRUE(full);
  EXPECT_EQ(full->sub, "u-1");
  EXPECT_EQ(full->scopes, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(full->exp, UnixTime(seconds(1'700'000'100)));
  EXPECT_EQ(full->realm_roles, std::vector<std::string>{"clerk"});
  EXPECT_TRUE(full->dpop_by_introspection);
}

TEST(IntrospectionResponse, NeitherTakesTheOthersBindingAway) {
  const AccessToken own = jwt();
  struct Case {
    std::string_view cnf;
    std::optional<std::string> jkt, x5t;
  };
  for (const Case& c : {
           Case{R"({"x5t#S256":"T"})", "THUMB", "T"}, Case{R"({})", "THUMB", std::nullopt},
           Case{R"({"jkt":"OTHER"})", "OTHER", std::nullopt},  // the token's own is judged beside it
           Case{"null", std::nullopt, std::nullopt},           // bound in an unknown way: refused as unbound
       }) {
    const auto token =
        read_introspection(R"({"active":true,"cnf":)" + std::string(c.cnf) + "}", kIssuer, &own);
    ASSERT_TRUE(token) << c.cnf;
    EXPECT_TRUE(token->cnf.present) << c.cnf;
    EXPECT_FALSE(token->cnf.is_only_certificate) << c.cnf;
    EXPECT_EQ(token->cnf.jkt, c.jkt) << c.cnf;
    EXPECT_EQ(token->cnf.x5t_s256, c.x5t) << c.cnf;
  }
}

TEST(IntrospectionResponse, AnAnswerCountsForAsLongAsTheCacheAndTheTokenLet) {
  const auto lifetime = [](std::string_view body, Millis cache) {
    return introspection_lifetime(read_introspection(body, kIssuer, nullptr), cache, kNow);
  };
  EXPECT_EQ(lifetime(active(), seconds(30)), seconds(30));
  EXPECT_EQ(lifetime(active(), seconds(3600)), seconds(300)) << "never past exp";
  EXPECT_EQ(lifetime(active(), seconds(0)), seconds(0));
  EXPECT_EQ(lifetime(R"({"active":true,"aud":"a","exp":1699999999})", seconds(30)), seconds(0));
  EXPECT_EQ(lifetime(R"({"active":false})", seconds(30)), kRefusalLifetime);
  EXPECT_EQ(lifetime(R"({"active":false})", seconds(2)), seconds(2));
  EXPECT_EQ(lifetime(R"({"active":true})", seconds(30)), kRefusalLifetime) << "a refusal, too";
  EXPECT_EQ(lifetime("rubbish", seconds(30)), seconds(0)) << "it says nothing of the token";
}

}  // namespace
}  // namespace holdfast::token
