#include "identity/header_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace holdfast::identity {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

http::Fields make_fields(std::initializer_list<http::Field> items) {
  http::Fields fields;
  for (const http::Field& field : items) fields.add(field.name, field.value);
  return fields;
}

std::vector<std::string> names_of(const http::Fields& fields) {
  std::vector<std::string> names;
  for (const http::Field& field : fields) names.emplace_back(field.name);
  return names;
}

TEST(HeaderPlan, RemovesEverySpellingOfAnIdentityHeader) {
  IdentityHeaders names;
  names.email = "";  // off
  names.sub = "X-User";
  names.others = {"X-Auth-Assertion"};
  names.client_certificate = "X-Client-Subject";
  const HeaderPlan plan(names);
  http::Fields fields = make_fields({{"X-Auth-Subject", "a"},
                                     {"x-auth-subject", "a"},
                                     {"x_user", "a"},
                                     {"X_Auth_Subject", "a"},
                                     {"X.AUTH~SUBJECT", "a"},
                                     {"X-Auth_Roles", "admin"},
                                     {"X-Auth-Assertion", "a"},
                                     {"x_auth_assertion", "a"},
                                     {"x_client-SUBJECT", "a"},
                                     {"X-Auth-Key-Thumbprint", "a"},
                                     {"X-Auth-Email", "a"},
                                     {"X-Auth-Subjects", "a"},
                                     {"XX-Auth-Subject", "a"},
                                     {"X-Auth--Subject", "a"}});
  plan.strip_request(fields, {});
  EXPECT_THAT(names_of(fields), ElementsAre("X-Auth-Subjects", "XX-Auth-Subject", "X-Auth--Subject"));
}

TEST(HeaderPlan, ConnectionSavesNothing) {
  const HeaderPlan plan{IdentityHeaders{}};
  http::Fields fields =
      make_fields({{"Connection", "X-Auth-Subject, Authorization, DPoP, X_Auth_Roles, X-Mine"},
                   {"X-Auth-Subject", "admin"},
                   {"X_Auth_Roles", "admin"},
                   {"Authorization", "DPoP t"},
                   {"DPoP", "p"},
                   {"X-Mine", "1"}});
  plan.strip_request(fields, {});
  EXPECT_THAT(names_of(fields), IsEmpty());
}

TEST(HeaderPlan, RemovesCredentials) {
  const HeaderPlan plan{IdentityHeaders{}};
  const auto left = [&plan](std::string_view authorization, const StripContext& context) {
    http::Fields fields = make_fields({{"authorization", authorization},
                                       {"dpop", "p"},
                                       {"Proxy-Authorization", "Basic x"},
                                       {"Cookie", "a=b"}});
    plan.strip_request(fields, context);
    return names_of(fields);
  };
  const StripContext public_route{.protected_route = false};
  EXPECT_THAT(left("DPoP t", {}), ElementsAre("Cookie"));
  EXPECT_THAT(left("Bearer t", {}), ElementsAre("Cookie"));
  EXPECT_THAT(left("Basic t", {}), ElementsAre("Cookie"));
  EXPECT_THAT(left("Basic t", public_route), ElementsAre("authorization", "Cookie"));
  EXPECT_THAT(left("Bearer t", public_route), ElementsAre("authorization", "Cookie"));
  EXPECT_THAT(left("dPoP t", public_route), ElementsAre("Cookie"));
  EXPECT_THAT(left("DPoP", public_route), ElementsAre("Cookie"));
  EXPECT_THAT(left("Basic t, DPoP u", public_route), ElementsAre("Cookie"));
  EXPECT_THAT(left("DPoP t", {.credentials_pass = true}), ElementsAre("authorization", "dpop", "Cookie"));
}

TEST(HeaderPlan, BelievesTrustedProxiesOnly) {
  const HeaderPlan plan{IdentityHeaders{}};
  const auto left = [&plan](bool trusted) {
    http::Fields fields = make_fields({{"Forwarded", "for=1"},
                                       {"X-Forwarded-For", "1.2.3.4"},
                                       {"x_forwarded_proto", "https"},
                                       {"X-Real-IP", "1.2.3.4"},
                                       {"X-Original-URL", "/admin"},
                                       {"X-Rewrite-URL", "/admin"},
                                       {"X-HTTP-Method-Override", "DELETE"},
                                       {"X-Method-Override", "DELETE"},
                                       {"SSL-Client-Cert", "x"},
                                       {"X-Request-Id", "1"},
                                       {"traceparent", "x"},
                                       {"X-Auth-Subject", "admin"}});
    plan.strip_request(fields, {.from_trusted_proxy = trusted});
    return names_of(fields).size();
  };
  EXPECT_EQ(left(false), 1U);  // traceparent
  EXPECT_EQ(left(true), 11U);  // an identity header is ours alone, whoever sends it
}

TEST(HeaderPlan, RemovesHopByHopFields) {
  const HeaderPlan plan{IdentityHeaders{}};
  http::Fields fields = make_fields({{"Upgrade", "websocket"},
                                     {"Connection", "Upgrade"},
                                     {"HTTP2-Settings", "A"},
                                     {"TE", "x"},
                                     {"Host", "a"}});
  plan.strip_request(fields, {.protected_route = false});
  EXPECT_THAT(names_of(fields), ElementsAre("Host"));
}

TEST(HeaderPlan, StripsTrailers) {
  const HeaderPlan plan{IdentityHeaders{}};
  http::Fields trailers = make_fields({{"X_Auth_Subject", "admin"},
                                       {"x-auth-roles", "admin"},
                                       {"Content-Length", "0"},
                                       {"Authorization", "x"},
                                       {"X-Checksum", "1"}});
  plan.strip_trailers(trailers);
  EXPECT_THAT(names_of(trailers), ElementsAre("X-Checksum"));
}

TEST(HeaderPlan, LeavesEverythingElse) {
  const HeaderPlan plan{IdentityHeaders{}};
  http::Fields fields = make_fields({{"Host", "a"},
                                     {"Accept", "*/*"},
                                     {"Cookie", "a"},
                                     {"Cookie", "b"},
                                     {"Origin", "https://x"},
                                     {"If-Match", "x"},
                                     {"Range", "bytes=0-"},
                                     {"Content-Type", "a/b"},
                                     {"", ""}});
  plan.strip_request(fields, {});
  EXPECT_EQ(fields.size(), 9U);
}

}  // namespace
}  // namespace holdfast::identity
