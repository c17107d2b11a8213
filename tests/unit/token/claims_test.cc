// Rules 17 to 20: the claims' types, roles and confirmation; rule 3: what may go as Bearer.
#include "token/claims.h"

#include <gtest/gtest.h>

#include <utility>

#include "jose/json.h"

namespace holdfast::token {
namespace {

using std::chrono::seconds;

Checked<AccessToken> read(std::string_view claims) {
  return read_claims(jose::parse_json_object(claims).value());
}

// The claims that every token has, and more.
std::string with(std::string_view more) {
  return R"({"iss":"https://id.example/","exp":1700000300)" + std::string(more.empty() ? "" : ",") +
         std::string(more) + "}";
}

TEST(Claims, AKeycloakToken) {
  const auto token = read(
      R"({"exp":1700000300,"iat":1700000000,"auth_time":1699999000,"jti":"1","iss":"https://id.example/realms/demo","aud":["orders-api","account"],)"
      R"("sub":"u-1","typ":"DPoP","azp":"spa","acr":"1","realm_access":{"roles":["clerk","offline_access"]},)"
      R"("resource_access":{"orders-api":{"roles":["writer"]},"account":{"roles":["view","edit"]}},"scope":"openid  email profile",)"
      R"("email":"a@example.com","email_verified":true,"preferred_username":"alice","cnf":{"jkt":"THUMB","kc-jkt-type":"x"}})");
  ASSERT_TRUE(token.has_value()) << token.error().detail;
  EXPECT_EQ(token->iss, "https://id.example/realms/demo");
  EXPECT_EQ(token->sub, "u-1");
  EXPECT_EQ(token->client_id, "spa");
  EXPECT_EQ(token->aud, (std::vector<std::string>{"orders-api", "account"}));
  EXPECT_EQ(token->exp, UnixTime(seconds(1'700'000'300)));
  EXPECT_EQ(token->iat, UnixTime(seconds(1'700'000'000)));
  EXPECT_EQ(token->auth_time, UnixTime(seconds(1'699'999'000)));
  EXPECT_EQ(token->acr, "1");
  EXPECT_EQ(token->scopes, (std::vector<std::string>{"openid", "email", "profile"}));
  EXPECT_EQ(token->realm_roles, (std::vector<std::string>{"clerk", "offline_access"}));
  EXPECT_EQ(token->client_roles, (std::vector<std::pair<std::string, std::string>>{
                                     {"orders-api", "writer"}, {"account", "view"}, {"account", "edit"}}));
  EXPECT_TRUE(token->cnf.present);
  EXPECT_EQ(token->cnf.jkt, "THUMB");
  EXPECT_FALSE(token->cnf.is_only_certificate);
  EXPECT_EQ(token->typ, "DPoP");
  EXPECT_EQ(token->email, "a@example.com");
  EXPECT_TRUE(token->email_verified);
  EXPECT_EQ(token->preferred_username, "alice");
  EXPECT_TRUE(token->claims.contains("jti"));
}

TEST(Claims, OptionalOnesMayBeMissing) {
  const auto token = read(with(""));
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->sub, std::nullopt);
  EXPECT_TRUE(token->aud.empty());
  EXPECT_FALSE(token->cnf.present);
  EXPECT_FALSE(token->email_verified);
  EXPECT_TRUE(token->scopes.empty());
}

TEST(Claims, ThoseThatDecideHaveTheirTypes) {
  const std::string cases[] = {R"({"iss":"a"})",
                               R"({"exp":1})",
                               R"({"iss":1,"exp":1})",
                               R"({"iss":"a","exp":"1"})",
                               R"({"iss":"a","exp":null})",
                               R"({"iss":"a","exp":1e300})",
                               with(R"("nbf":"1")"),
                               with(R"("iat":"1")"),
                               with(R"("iat":null)"),
                               with(R"("auth_time":"1")"),
                               with(R"("aud":1)"),
                               with(R"("aud":null)"),
                               with(R"("aud":{})"),
                               with(R"("aud":["a",1])"),
                               with(R"("sub":1)"),
                               with(R"("sub":null)")};
  for (const std::string& claims : cases) {
    const auto token = read(claims);
    ASSERT_FALSE(token.has_value()) << claims;
    EXPECT_EQ(token.error().reason, Reason::token_malformed) << claims;
  }
}

TEST(Claims, TypIsBearerOrDpop) {
  for (const char* const typ : {R"("Bearer")", R"("DPoP")"})
    EXPECT_TRUE(read(with(R"("typ":)" + std::string(typ))).has_value()) << typ;
  for (const char* const typ :
       {R"("ID")", R"("Refresh")", R"("Offline")", R"("Logout")", R"("")", "null", "1", R"(["Bearer"])"}) {
    const auto token = read(with(R"("typ":)" + std::string(typ)));
    ASSERT_FALSE(token.has_value()) << typ;
    EXPECT_EQ(token.error().reason, Reason::token_type) << typ;
  }
}

TEST(Claims, DescribingOnesOfTheWrongTypeAreAbsent) {
  const auto token = read(with(
      R"("azp":1,"acr":[],"scope":7,"realm_access":{"roles":"admin"},"resource_access":[],"email":1,"email_verified":"true","preferred_username":{})"));
  ASSERT_TRUE(token.has_value());
  EXPECT_EQ(token->client_id, std::nullopt);
  EXPECT_TRUE(token->scopes.empty());
  EXPECT_TRUE(token->realm_roles.empty());
  EXPECT_TRUE(token->client_roles.empty());
  EXPECT_EQ(token->email, std::nullopt);
  EXPECT_FALSE(token->email_verified);
  EXPECT_TRUE(
      read(with(R"("realm_access":"admin","resource_access":{"a":1,"b":{"roles":[1,"x"]}})"))->client_roles ==
      (std::vector<std::pair<std::string, std::string>>{{"b", "x"}}));
}

TEST(Claims, ClientIdBeforeAzpAndScopesInEachForm) {
  EXPECT_EQ(read(with(R"("client_id":"a","azp":"b")"))->client_id, "a");
  const std::vector<std::string> both{"r", "w"};
  EXPECT_EQ(read(with(R"("scope":" r w ")"))->scopes, both);
  EXPECT_EQ(read(with(R"("scope":["r","w"])"))->scopes, both);
  EXPECT_EQ(read(with(R"("scp":"r w")"))->scopes, both);
  EXPECT_EQ(read(with(R"("scp":["r","w"])"))->scopes, both);
  EXPECT_TRUE(read(with(R"("scope":"","scp":"r w")"))->scopes.empty()) << "scope decides where it is there";
  EXPECT_EQ(read(with(R"("aud":"one")"))->aud, std::vector<std::string>{"one"});
}

// 32 bytes in base64url.
constexpr std::string_view kHash = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

TEST(Bearer, OnlyTokensBoundToNothingOrToThisConnectionsCertificate) {
  const std::string x5t = R"("cnf":{"x5t#S256":")" + std::string(kHash) + R"("})";
  const struct {
    std::string more;
    const char* without_certificate;
    const char* with_certificate;
  } cases[] = {{"", "passes", "passes"},
               {R"("typ":"Bearer")", "passes", "passes"},
               {R"("typ":"DPoP")", "bearer_for_bound_token", "bearer_for_bound_token"},
               {x5t, "certificate_mismatch", "passes"},
               {x5t + R"(,"typ":"DPoP")", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":null)", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":[])", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":"jkt")", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"jkt":"x"})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"jkt":7})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"jwk":{}})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"kid":"x"})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"unheard-of":1})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"x5t#S256":7})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"x5t#S256":""})", "bearer_for_bound_token", "bearer_for_bound_token"},
               {R"("cnf":{"x5t#S256":")" + std::string(kHash) + R"(","jkt":"x"})", "bearer_for_bound_token",
                "bearer_for_bound_token"}};
  const auto outcome = [](const AccessToken& token, bool satisfied) {
    const auto checked = check_bearer(token, satisfied);
    return checked ? std::string("passes") : std::string(reason_name(checked.error().reason));
  };
  for (const auto& c : cases) {
    const auto token = read(with(c.more));
    ASSERT_TRUE(token.has_value()) << c.more;
    EXPECT_EQ(outcome(*token, false), c.without_certificate) << c.more;
    EXPECT_EQ(outcome(*token, true), c.with_certificate) << c.more;
  }
  auto introspected = read(with(""));
  introspected->dpop_by_introspection = true;
  EXPECT_EQ(outcome(*introspected, true), "bearer_for_bound_token");
}

TEST(Claims, AnOddCertificateThumbprintIsThereAndMatchesNothing) {
  EXPECT_EQ(read(with(R"("cnf":{"jkt":"x","x5t#S256":7})"))->cnf.x5t_s256, "");
  EXPECT_EQ(read(with(R"("cnf":{"jkt":"x"})"))->cnf.x5t_s256, std::nullopt);
  EXPECT_EQ(read(with(R"("cnf":{"jkt":7})"))->cnf.jkt, std::nullopt);
}

}  // namespace
}  // namespace holdfast::token
