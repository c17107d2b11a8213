#include "identity/assertion.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <chrono>

#include "base/base64url.h"
#include "crypto/private_key.h"
#include "jose/jwk.h"
#include "jose/jwk_set.h"
#include "token/access_token.h"

namespace holdfast::identity {
namespace {

using namespace std::chrono_literals;

boost::json::value decoded(std::string_view segment) {
  const auto bytes = base64url_decode(segment);
  return bytes ? boost::json::parse(*bytes) : boost::json::value();
}

AssertionClaims claims_of(const token::AccessToken& token) {
  return {.issuer = "holdfast",
          .audience = "orders",
          .token = &token,
          .jkt = "thumb",
          .issued = UnixTime(1'800'000'000'999ms),
          .expires = UnixTime(1'800'000'060'999ms)};
}

TEST(Assertion, SaysWhoIsCallingAndForWhom) {
  token::AccessToken token;
  token.iss = "https://id.example.com/realms/demo";
  token.sub = "f:1:alice";
  token.client_id = "spa";
  token.preferred_username = "J\u00fcrgen \"x\"";
  token.email = "alice@example.com";
  token.email_verified = true;
  token.scopes = {"openid", "orders:write"};
  token.realm_roles = {"clerk", "a,b:c"};
  token.client_roles = {{"orders-api", "editor"}, {"billing", "reader"}, {"orders-api", "admin"}};
  token.auth_time = UnixTime(1'799'999'000s);
  token.acr = "gold";
  const boost::json::value expected{
      {"iss", "holdfast"},
      {"aud", "orders"},
      {"iat", 1'800'000'000},
      {"exp", 1'800'000'060},
      {"token_iss", "https://id.example.com/realms/demo"},
      {"sub", "f:1:alice"},
      {"client_id", "spa"},
      {"preferred_username", "J\u00fcrgen \"x\""},
      {"email", "alice@example.com"},
      {"scope", "openid orders:write"},
      {"roles", {"clerk", "a,b:c"}},
      {"client_roles", {{"orders-api", {"editor", "admin"}}, {"billing", boost::json::array{"reader"}}}},
      {"auth_time", 1'799'999'000},
      {"acr", "gold"},
      {"cnf", {{"jkt", "thumb"}}}};
  EXPECT_EQ(decoded(assertion_payload(claims_of(token))), expected);
}

TEST(Assertion, SaysNothingThatTheTokenDoesNot) {
  token::AccessToken token;
  token.iss = "i";
  token.email = "unverified@example.com";
  AssertionClaims claims = claims_of(token);
  claims.jkt = "";
  const boost::json::value expected{{"iss", "holdfast"},
                                    {"aud", "orders"},
                                    {"iat", 1'800'000'000},
                                    {"exp", 1'800'000'060},
                                    {"token_iss", "i"}};
  EXPECT_EQ(decoded(assertion_payload(claims)), expected);
}

TEST(Assertion, NamesItsKeyAndPublishesItWithoutTheSecret) {
  const auto key = crypto::PrivateKey::generate(crypto::SignatureAlgorithm::kEcdsaP256Sha256);
  const auto previous = crypto::PrivateKey::generate(crypto::SignatureAlgorithm::kEcdsaP256Sha256);
  ASSERT_TRUE(key && previous);
  const std::string kid = jose::thumbprint(key->public_key());
  EXPECT_EQ(decoded(assertion_header(kid)),
            (boost::json::value{{"alg", "ES256"}, {"typ", "JWT"}, {"kid", kid}}));

  const crypto::PublicKey* const both[] = {&key->public_key(), &previous->public_key()};
  const std::string text = assertion_key_set(both);
  const auto set = boost::json::parse(text).at("keys").as_array();
  ASSERT_EQ(set.size(), 2U);
  EXPECT_EQ(set[0].at("kid").as_string(), kid);
  EXPECT_EQ(set[1].at("kid").as_string(), jose::thumbprint(previous->public_key()));
  for (const auto& jwk : set) {
    EXPECT_EQ(jwk.at("alg"), "ES256");
    EXPECT_EQ(jwk.at("use"), "sig");
    EXPECT_FALSE(jwk.as_object().contains("d"));
  }
  EXPECT_TRUE(jose::KeySet::parse(text)) << "what we publish we can read";
}

}  // namespace
}  // namespace holdfast::identity
