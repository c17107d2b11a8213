// RFC 6749 2.3.1 and RFC 7523: what is sent to ask about a token.
#include "token/introspection_request.h"

#include <gtest/gtest.h>

#include "base/base64url.h"
#include "jose/json.h"
#include "jose/jws.h"

namespace holdfast::token {
namespace {

constexpr UnixTime kNow{std::chrono::milliseconds(1'700'000'000'999)};

TEST(IntrospectionRequest, BasicAuthorizationIsFormEncodedFirst) {
  struct Case {
    std::string_view client_id, secret, value;
  };
  for (const Case& c : {
           Case{"s6BhdRkqt3", "gX1fBat3bV", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW"},  // RFC 6749's own
           Case{"a", "b", "Basic YTpi"},
           Case{"a", "bc", "Basic YTpiYw=="},
           Case{"a", "bcd", "Basic YTpiY2Q="},
           // "a%3Ab:c+d": the ':' of the name stays in the name
           Case{"a:b", "c d", "Basic YSUzQWI6Yytk"},
           // "api:%2F%2B%25%3D%C3%BC~": RFC 6749 appendix B
           Case{"api", "/+%=\xC3\xBC", "Basic YXBpOiUyRiUyQiUyNSUzRCVDMyVCQw=="},
       }) {
    EXPECT_EQ(basic_authorization(c.client_id, Secret(std::string(c.secret))).reveal(), c.value);
  }
}

TEST(IntrospectionRequest, TheFormHoldsTheTokenAndMaybeAnAssertion) {
  EXPECT_EQ(introspection_form("mF_9.B5f-4.1JqM", "").reveal(),
            "token=mF_9.B5f-4.1JqM&token_type_hint=access_token");
  EXPECT_EQ(introspection_form("a+b/c~d==&x=1", "").reveal(),
            "token=a%2Bb%2Fc%7Ed%3D%3D%26x%3D1&token_type_hint=access_token");
  EXPECT_EQ(introspection_form("t", "h.p.s").reveal(),
            "token=t&token_type_hint=access_token"
            "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
            "&client_assertion=h.p.s");
}

TEST(IntrospectionRequest, TheAssertionNamesWhoAsksAndIsMeantForTheIssuerAlone) {
  const std::string input = assertion_signing_input(
      jose::Algorithm::ES256,
      {.client_id = "orders-api", .audience = "https://id.example/realms/demo", .jti = "j-1", .now = kNow});
  const std::string assertion = input + ".c2ln";
  const auto jws = jose::split_compact(assertion, jose::kMaxTokenSize);
  ASSERT_TRUE(jws) << jws.error();
  EXPECT_EQ(jws->signing_input, input);
  EXPECT_EQ(base64url_decode(jws->header), R"({"alg":"ES256","typ":"JWT"})");
  EXPECT_EQ(
      base64url_decode(jws->payload),
      R"({"iss":"orders-api","sub":"orders-api","aud":"https://id.example/realms/demo","jti":"j-1","iat":1700000000,"exp":1700000060})");
}

TEST(IntrospectionRequest, TheAssertionNamesItsKeyWhereTheIssuerKnowsSeveral) {
  const std::string input = assertion_signing_input(
      jose::Algorithm::EdDSA,
      {.client_id = "c", .audience = "https://id.example/", .jti = "j-1", .now = kNow, .kid = "2026-11"});
  EXPECT_EQ(base64url_decode(input.substr(0, input.find('.'))),
            R"({"alg":"EdDSA","typ":"JWT","kid":"2026-11"})");
}

TEST(IntrospectionRequest, EachKindOfKeyHasItsAlgorithm) {
  using crypto::KeyType;
  using jose::Algorithm;
  EXPECT_EQ(assertion_algorithm(KeyType::kP256), Algorithm::ES256);
  EXPECT_EQ(assertion_algorithm(KeyType::kP384), Algorithm::ES384);
  EXPECT_EQ(assertion_algorithm(KeyType::kP521), Algorithm::ES512);
  EXPECT_EQ(assertion_algorithm(KeyType::kEd25519), Algorithm::EdDSA);
  EXPECT_EQ(assertion_algorithm(KeyType::kRsa), Algorithm::RS256);
}

}  // namespace
}  // namespace holdfast::token
