#include "policy/credentials.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace holdfast::policy {
namespace {

using FieldList = std::vector<http::Field>;

http::Fields make_fields(const FieldList& items) {
  http::Fields fields;
  for (const http::Field& field : items) fields.add(field.name, field.value);
  return fields;
}

TEST(Credentials, AreGathered) {
  struct Case {
    FieldList fields;
    Access access;
    AuthScheme scheme;
    std::string_view token;
    std::string_view proof;
  };
  for (const Case& c : std::initializer_list<Case>{
           {{{"Authorization", "DPoP abc.def-_~+/=="}, {"DPoP", "p.q.r"}},
            Access::dpop,
            AuthScheme::dpop,
            "abc.def-_~+/==",
            "p.q.r"},
           {{{"authorization", "dpop    t"}, {"dpop", "p"}}, Access::dpop, AuthScheme::dpop, "t", "p"},
           {{{"AUTHORIZATION", "DPOP t"}, {"DPOP", ""}}, Access::dpop_or_bearer, AuthScheme::dpop, "t", ""},
           {{{"Authorization", "bEARER t"}}, Access::dpop_or_bearer, AuthScheme::bearer, "t", ""},
           {{{"Authorization", "Bearer t"}, {"DPoP", "p"}},
            Access::dpop_or_bearer,
            AuthScheme::bearer,
            "t",
            ""},
       }) {
    const http::Fields fields = make_fields(c.fields);
    const auto credentials = gather_credentials(fields, c.access);
    ASSERT_TRUE(credentials) << c.fields[0].value;
    EXPECT_EQ(credentials->scheme, c.scheme);
    EXPECT_EQ(credentials->token, c.token);
    EXPECT_EQ(credentials->proof, c.proof);
    EXPECT_EQ(tried_scheme(fields), c.scheme);
  }
}

TEST(Credentials, AreOneOrNone) {
  struct Case {
    FieldList fields;
    Reason reason;
    Access access = Access::dpop;
  };
  const http::Field proof{"DPoP", "p"};
  for (const Case& c : std::initializer_list<Case>{
           {{}, Reason::no_credentials},
           {{proof}, Reason::no_credentials},
           {{{"Authorization", "Basic YTpi"}, proof}, Reason::no_credentials},
           {{{"Authorization", "Digest a=\"b\", c=\"d\""}}, Reason::no_credentials},
           {{{"Authorization", "Bearer t"}}, Reason::bearer_refused},
           {{{"Authorization", "bearer t"}, proof}, Reason::bearer_refused},
           {{{"Authorization", "DPoP t"}, {"Authorization", "DPoP t"}, proof},
            Reason::authorization_multiple},
           {{{"Authorization", "DPoP t"}, {"authorization", "Bearer t"}, proof},
            Reason::authorization_multiple},
           {{{"Authorization", "Bearer t"}, {"Authorization", "Bearer t"}},
            Reason::authorization_multiple,
            Access::dpop_or_bearer},
           {{{"Authorization", "DPoP t, DPoP t"}, proof}, Reason::authorization_multiple},
           {{{"Authorization", "DPoP t,Bearer u"}, proof}, Reason::authorization_multiple},
           {{{"Authorization", "DPoP,DPoP t"}, proof}, Reason::authorization_multiple},
           {{{"Authorization", ""}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP "}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t x"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t t"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP\tt"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t\t"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP ="}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t=u"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t;x"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP \"t\""}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t\x80"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", " DPoP t"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "(DPoP t"}, proof}, Reason::authorization_malformed},
           {{{"Authorization", "DPoP t"}}, Reason::proof_missing},
           {{{"Authorization", "DPoP t"}, proof, proof}, Reason::proof_multiple},
           {{{"Authorization", "DPoP t"}, {"DPoP", "p"}, {"dpop", "q"}}, Reason::proof_multiple},
           {{{"Authorization", "DPoP t"}, {"DPoP", "p, p"}}, Reason::proof_multiple},
           {{{"Authorization", "Bearer t"}, proof, proof}, Reason::proof_multiple, Access::dpop_or_bearer},
       }) {
    const auto credentials = gather_credentials(make_fields(c.fields), c.access);
    ASSERT_FALSE(credentials) << (c.fields.empty() ? "" : c.fields[0].value);
    EXPECT_EQ(reason_name(credentials.error().reason), reason_name(c.reason))
        << (c.fields.empty() ? "" : c.fields[0].value);
  }
}

TEST(Credentials, NeverQuoteWhatWasSent) {
  for (const std::string_view value :
       {"DPoP secret x", "Bearer secret", "DPoP secret, DPoP secret", "Basic secret", "@secret"}) {
    const auto credentials = gather_credentials(make_fields({{"Authorization", value}}), Access::dpop);
    ASSERT_FALSE(credentials);
    EXPECT_FALSE(credentials.error().detail.contains("secret")) << credentials.error().detail;
  }
}

TEST(TriedScheme, IsTheFirstWord) {
  EXPECT_EQ(tried_scheme(make_fields({})), AuthScheme::none);
  EXPECT_EQ(tried_scheme(make_fields({{"Authorization", "Basic x"}})), AuthScheme::none);
  EXPECT_EQ(tried_scheme(make_fields({{"Authorization", "bearer"}})), AuthScheme::bearer);
  EXPECT_EQ(tried_scheme(make_fields({{"Authorization", "DPoP,x"}})), AuthScheme::dpop);
}

}  // namespace
}  // namespace holdfast::policy
