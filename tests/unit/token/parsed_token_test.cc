// Rules 4, 5 and 17: the form and the header of an access token.
#include "token/parsed_token.h"

#include <gtest/gtest.h>

#include "../../support/sign_jws.h"
#include "jose/jws.h"

namespace holdfast::token {
namespace {

using holdfast::testing::key_for;
using holdfast::testing::sign_jws;
using jose::Algorithm;

const std::string kClaims = R"({"iss":"https://id.example/","exp":1700000000})";
std::string token(std::string_view header, std::string_view claims = kClaims) {
  return sign_jws(header, claims, Algorithm::ES256);
}

void expect_refused(const std::string& credential, Reason reason) {
  const auto parsed = parse(credential);
  ASSERT_FALSE(parsed.has_value()) << credential;
  EXPECT_EQ(reason_name(parsed.error().reason), reason_name(reason)) << credential;
}

TEST(ParsedToken, ReadsHeaderAndIssuer) {
  const std::string credential = token(R"({"alg":"ES256","kid":"k1","typ":"at+jwt"})");
  const auto parsed = parse(credential);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().detail;
  EXPECT_EQ(parsed->alg, Algorithm::ES256);
  EXPECT_EQ(parsed->kid, "k1");
  EXPECT_TRUE(parsed->is_at_jwt);
  EXPECT_EQ(parsed->unverified_iss, "https://id.example/");
  EXPECT_EQ(parsed->signing_input, credential.substr(0, credential.rfind('.')));
  EXPECT_EQ(parsed->signature.size(), 64U);
}

TEST(ParsedToken, TypeIsAnAccessTokens) {
  const std::pair<const char*, bool> good[] = {{R"({"alg":"ES256"})", false},
                                               {R"({"alg":"ES256","typ":"JWT"})", false},
                                               {R"({"alg":"ES256","typ":"at+jwt"})", true},
                                               {R"({"alg":"ES256","typ":"application/at+jwt"})", true}};
  for (const auto& [header, at_jwt] : good) {
    const auto parsed = parse(token(header));
    ASSERT_TRUE(parsed.has_value()) << header;
    EXPECT_EQ(parsed->is_at_jwt, at_jwt) << header;
    EXPECT_EQ(parsed->kid, std::nullopt);
  }
  for (const char* const typ : {R"("dpop+jwt")", R"("logout+jwt")", R"("id_token")", R"("secevent+jwt")",
                                R"("")", "null", "1", R"(["JWT"])"}) {
    expect_refused(token(R"({"alg":"ES256","typ":)" + std::string(typ) + "}"), Reason::token_type);
  }
}

TEST(ParsedToken, AlgorithmIsAsymmetric) {
  for (const char* const header : {R"({"alg":"none"})", R"({"alg":"HS256"})", R"({"alg":"es256"})",
                                   R"({"alg":null})", "{}", R"({"alg":""})"}) {
    expect_refused(token(header), Reason::token_algorithm);
  }
}

TEST(ParsedToken, KnowsNoExtension) {
  expect_refused(token(R"({"alg":"ES256","crit":["exp"],"exp":1})"), Reason::token_malformed);
  expect_refused(token(R"({"alg":"ES256","crit":[]})"), Reason::token_malformed);
  expect_refused(token(R"({"alg":"ES256","b64":false})"), Reason::token_malformed);
}

TEST(ParsedToken, IsACompactJwsOfStrictJson) {
  const std::string good = token(R"({"alg":"ES256"})");
  for (const std::string& bad : {std::string(), good + "=", good + ".", good.substr(0, good.rfind('.') + 1),
                                 "." + good, good + "*", good + std::string(jose::kMaxTokenSize, 'A')}) {
    expect_refused(bad, Reason::token_malformed);
  }
  expect_refused(token(R"({"alg":"ES256","kid":7})"), Reason::token_malformed);
  expect_refused(token(R"({"alg":"ES256","alg":"ES256"})"), Reason::token_malformed);
  expect_refused(token("[]"), Reason::token_malformed);
  expect_refused(token(R"({"alg":"ES256"})", "[]"), Reason::token_malformed);
  expect_refused(token(R"({"alg":"ES256"})", R"({"iss":"a","iss":"b"})"), Reason::token_malformed);
  expect_refused(token(R"({"alg":"ES256"})", R"({"iss":"a","x":[[[[[[[[1]]]]]]]]})"),
                 Reason::token_malformed);
}

TEST(ParsedToken, NamesItsIssuer) {
  expect_refused(token(R"({"alg":"ES256"})", "{}"), Reason::token_issuer);
  expect_refused(token(R"({"alg":"ES256"})", R"({"iss":["https://id.example/"]})"), Reason::token_issuer);
}

TEST(ParsedToken, DetailsHoldNothingOfAnUnverifiedToken) {
  const std::string bad[] = {token(R"({"alg":"SECRET"})"), token(R"({"alg":"ES256","typ":"SECRET"})"),
                             token(R"({"alg":"ES256"})", R"({"SECRET":1,"SECRET":2})")};
  for (const std::string& credential : bad) {
    const auto parsed = parse(credential);
    ASSERT_FALSE(parsed.has_value());
    EXPECT_EQ(parsed.error().detail.find("SECRET"), std::string::npos) << parsed.error().detail;
  }
}

TEST(ParsedToken, OpaqueCredentialsAreToldApart) {
  // Bad ones are JWTs, too: `{"alg":"ES256"}`, ` {"a":1}`, `{"a":1,"a":2}`, and an unfinished `{`.
  for (const char* const jwt :
       {"eyJhbGciOiJFUzI1NiJ9.b.c", "IHsiYSI6MX0.b.c", "eyJhIjoxLCJhIjoyfQ.*.*", "ew.b.c"})
    EXPECT_TRUE(looks_like_jwt(jwt)) << jwt;
  // The last but two are an opaque token of three parts, `[1]` for a header and an encrypted JWT.
  for (const char* const opaque : {"", "2YotnFZFEjr1zCsicMWpAA", "a.b", "a.b.c.d", "eyJhIjoxfQ..c",
                                   "eyJhIjoxfQ.b.", "ory.at.abc", "WzFd.b.c", "eyJhIjoxfQ.b.c.d.e"})
    EXPECT_FALSE(looks_like_jwt(opaque)) << opaque;
}

}  // namespace
}  // namespace holdfast::token
