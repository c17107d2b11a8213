#include "identity/identity_fields.h"

#include <gtest/gtest.h>

#include <string>

#include "token/access_token.h"

namespace holdfast::identity {
namespace {

std::string value_of(const http::Fields& fields, std::string_view name) {
  EXPECT_LE(fields.count(name), 1U) << name;
  return std::string(fields.find(name).value_or("(none)"));
}

TEST(IdentityFields, SayWhoIsCalling) {
  token::AccessToken token;
  token.iss = "https://id.example.com/realms/demo";
  token.sub = "f:1:alice";
  token.client_id = "spa";
  token.preferred_username = "alice";
  token.email = "alice@example.com";
  token.email_verified = true;
  token.scopes = {"openid", "orders:write"};
  token.realm_roles = {"clerk", "admin"};
  token.client_roles = {{"orders-api", "editor"}};
  http::Fields fields;
  set_identity(HeaderPlan{IdentityHeaders{}}, fields, token, "thumb");
  EXPECT_EQ(fields.size(), 8U);
  EXPECT_EQ(value_of(fields, "X-Auth-Subject"), "f:1:alice");
  EXPECT_EQ(value_of(fields, "X-Auth-Client-Id"), "spa");
  EXPECT_EQ(value_of(fields, "X-Auth-Username"), "alice");
  EXPECT_EQ(value_of(fields, "X-Auth-Email"), "alice@example.com");
  EXPECT_EQ(value_of(fields, "X-Auth-Scope"), "openid orders:write");
  EXPECT_EQ(value_of(fields, "X-Auth-Roles"), "clerk,admin,orders-api:editor");
  EXPECT_EQ(value_of(fields, "X-Auth-Issuer"), "https://id.example.com/realms/demo");
  EXPECT_EQ(value_of(fields, "X-Auth-Key-Thumbprint"), "thumb");
}

TEST(IdentityFields, AbsentClaimsAreNoHeaders) {
  token::AccessToken token;
  token.iss = "i";
  token.email = "unverified@example.com";
  token.preferred_username = "";
  http::Fields fields;
  set_identity(HeaderPlan{IdentityHeaders{}}, fields, token, "");
  EXPECT_EQ(fields.size(), 1U);
  EXPECT_EQ(value_of(fields, "X-Auth-Issuer"), "i");
}

TEST(IdentityFields, NamesAreTheConfigurations) {
  token::AccessToken token;
  token.sub = "a";
  token.iss = "i";
  IdentityHeaders names;
  names.sub = "Remote-User";
  names.iss = "";
  http::Fields fields;
  set_identity(HeaderPlan{names}, fields, token, "");
  EXPECT_EQ(fields.size(), 1U);
  EXPECT_EQ(value_of(fields, "Remote-User"), "a");
}

// No claim can break out of its field, and no role out of its list.
TEST(IdentityFields, ValuesAreEncoded) {
  token::AccessToken token;
  token.iss = "i";
  token.sub = "a b\r\nX-Auth-Roles: admin%\xc3\xa9\x7f";
  token.sub->push_back('\0');
  token.scopes = {"a b", "c,d"};
  token.realm_roles = {"x,admin", "api:admin", "50%"};
  token.client_roles = {{"https://x", "r,s:t"}};
  http::Fields fields;
  set_identity(HeaderPlan{IdentityHeaders{}}, fields, token, "");
  EXPECT_EQ(value_of(fields, "X-Auth-Subject"), "a%20b%0D%0AX-Auth-Roles:%20admin%25%C3%A9%7F%00");
  EXPECT_EQ(value_of(fields, "X-Auth-Scope"), "a%20b c,d");
  EXPECT_EQ(value_of(fields, "X-Auth-Roles"), "x%2Cadmin,api%3Aadmin,50%25,https%3A//x:r%2Cs:t");
}

TEST(IdentityFields, TheClientCertificateIsNamedWhereItWasAskedFor) {
  http::Fields fields;
  set_client_certificate(HeaderPlan{IdentityHeaders{}}, fields, "CN=a");
  EXPECT_EQ(fields.size(), 0U);
  IdentityHeaders names;
  names.client_certificate = "X-Client-Subject";
  set_client_certificate(HeaderPlan{names}, fields, "");
  EXPECT_EQ(fields.size(), 0U);
  set_client_certificate(HeaderPlan{names}, fields, R"(CN=Zo\C3\AB\, 5%,O=a b)");
  EXPECT_EQ(value_of(fields, "X-Client-Subject"), R"(CN=Zo\C3\AB\,%205%25,O=a%20b)");
}

}  // namespace
}  // namespace holdfast::identity
