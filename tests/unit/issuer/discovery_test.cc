#include "issuer/discovery.h"

#include <gtest/gtest.h>

namespace holdfast::issuer {
namespace {

IssuerSettings issuer(std::string url) {
  IssuerSettings settings;
  settings.url = std::move(url);
  return settings;
}

TEST(Discovery, AsksOpenIdsPlaceAndThenRfc8414s) {
  struct Case {
    std::string url, open_id, oauth;
  };
  for (const Case& c : {
           Case{"https://id.example.com/realms/demo",
                "https://id.example.com/realms/demo/.well-known/openid-configuration",
                "https://id.example.com/.well-known/oauth-authorization-server/realms/demo"},
           Case{"https://id.example.com", "https://id.example.com/.well-known/openid-configuration",
                "https://id.example.com/.well-known/oauth-authorization-server"},
           Case{"https://id.example.com/", "https://id.example.com/.well-known/openid-configuration",
                "https://id.example.com/.well-known/oauth-authorization-server"},
           Case{"https://id.example.com:8443/t/",
                "https://id.example.com:8443/t/.well-known/openid-configuration",
                "https://id.example.com:8443/.well-known/oauth-authorization-server/t"},
       }) {
    EXPECT_EQ(metadata_urls(issuer(c.url)), (std::vector{c.open_id, c.oauth}));
  }
}

TEST(Discovery, AsksOnlyWhereItIsTold) {
  IssuerSettings settings = issuer("https://id.example.com/realms/demo");
  settings.discovery_url = "https://keycloak:8443/d";
  EXPECT_EQ(metadata_urls(settings), std::vector<std::string>{"https://keycloak:8443/d"});
}

TEST(Discovery, BelievesOnlyMetadataOfThisIssuer) {
  struct Case {
    std::string_view metadata, says;  // says: part of the error; empty: taken
  };
  for (const Case& c : {
           Case{R"({"issuer":"https://id.example.com/r","jwks_uri":"https://keys.example.com/k"})", ""},
           Case{R"({"issuer":"https://id.example.com/r/","jwks_uri":"https://keys.example.com/k"})",
                "names the issuer"},
           Case{R"({"issuer":"https://ID.example.com/r","jwks_uri":"https://keys.example.com/k"})",
                "names the issuer"},
           Case{R"({"issuer":"https://evil.example.com","jwks_uri":"https://keys.example.com/k"})",
                "names the issuer"},
           Case{R"({"jwks_uri":"https://keys.example.com/k"})", "names no issuer"},
           Case{R"({"issuer":["https://id.example.com/r"],"jwks_uri":"https://keys.example.com/k"})",
                "names no issuer"},
           Case{R"({"issuer":"https://id.example.com/r"})", "names no jwks_uri"},
           Case{R"({"issuer":"https://id.example.com/r","jwks_uri":7})", "names no jwks_uri"},
           Case{R"({"issuer":"https://id.example.com/r","jwks_uri":"http://keys.example.com/k"})",
                "allow_http"},
           Case{R"({"issuer":"https://id.example.com/r","jwks_uri":"/k"})", "jwks_uri"},
           Case{R"({"issuer":"https://id.example.com/r","issuer":"https://id.example.com/r"})",
                "not a JSON object"},
           Case{"[]", "not a JSON object"},
           Case{"<html>", "not a JSON object"},
           Case{"", "not a JSON object"},
       }) {
    const auto uri = jwks_uri_of(c.metadata, issuer("https://id.example.com/r"));
    if (c.says.empty()) {
      ASSERT_TRUE(uri) << uri.error();
      EXPECT_EQ(*uri, "https://keys.example.com/k");
    } else {
      ASSERT_FALSE(uri) << c.metadata;
      EXPECT_NE(uri.error().find(c.says), std::string::npos) << uri.error();
    }
  }
}

}  // namespace
}  // namespace holdfast::issuer
