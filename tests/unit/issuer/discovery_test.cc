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
    const auto found = discovered_endpoints(c.metadata, issuer("https://id.example.com/r"));
    if (c.says.empty()) {
      ASSERT_TRUE(found) << found.error();
      EXPECT_EQ(found->jwks_uri, "https://keys.example.com/k");
      EXPECT_EQ(found->introspection, "");
    } else {
      ASSERT_FALSE(found) << c.metadata;
      EXPECT_NE(found.error().find(c.says), std::string::npos) << found.error();
    }
  }
}

// `members` beside the issuer, as the settings want it: "keys endpoint", or what the error says.
std::string endpoints(const IssuerSettings& settings, const std::string& members) {
  const auto found =
      discovered_endpoints(R"({"issuer":"https://id.example.com/r")" + members + "}", settings);
  return found ? found->jwks_uri + " " + found->introspection : found.error();
}

TEST(Discovery, FindsWhereTokensAreAskedAbout) {
  const std::string keys = R"(,"jwks_uri":"https://keys.example.com/k")";
  const std::string place = R"(,"introspection_endpoint":"https://id.example.com/i")";
  IssuerSettings settings = issuer("https://id.example.com/r");
  EXPECT_EQ(endpoints(settings, keys + place), "https://keys.example.com/k ") << "nobody wants to know";
  settings.introspection = IntrospectionSettings{};
  EXPECT_EQ(endpoints(settings, keys + place), "https://keys.example.com/k https://id.example.com/i");
  EXPECT_EQ(endpoints(settings, place), " https://id.example.com/i") << "opaque tokens need no keys";
  EXPECT_EQ(endpoints(settings, keys), "the metadata names no introspection_endpoint");
  EXPECT_EQ(endpoints(settings, R"(,"jwks_uri":7)" + place), "the metadata names no jwks_uri");
  EXPECT_EQ(endpoints(settings, keys + R"(,"introspection_endpoint":["https://id.example.com/i"])"),
            "the metadata names no introspection_endpoint");
  EXPECT_EQ(endpoints(settings, keys + R"(,"introspection_endpoint":"http://id.example.com/i")"),
            "introspection_endpoint: plain http to id.example.com needs allow_http: true");
  settings.allow_http = true;
  EXPECT_EQ(endpoints(settings, keys + R"(,"introspection_endpoint":"http://id.example.com/i")"),
            "https://keys.example.com/k http://id.example.com/i");
  settings.introspection->url = "https://inner.example.com/i";
  EXPECT_EQ(endpoints(settings, keys + place), "https://keys.example.com/k https://inner.example.com/i");
  settings.jwks_url = "https://inner.example.com/k";
  EXPECT_EQ(endpoints(settings, ""), "https://inner.example.com/k https://inner.example.com/i");
}

TEST(Discovery, IsAskedOnlyForWhatIsNotWrittenOut) {
  IssuerSettings settings = issuer("https://id.example.com/r");
  EXPECT_TRUE(needs_discovery(settings));
  settings.jwks_url = "https://inner.example.com/k";
  EXPECT_FALSE(needs_discovery(settings));
  EXPECT_EQ(configured_endpoints(settings).jwks_uri, "https://inner.example.com/k");
  settings.introspection = IntrospectionSettings{};
  EXPECT_TRUE(needs_discovery(settings));
  settings.introspection->url = "https://inner.example.com/i";
  EXPECT_FALSE(needs_discovery(settings));
  EXPECT_EQ(configured_endpoints(settings).introspection, "https://inner.example.com/i");
}

}  // namespace
}  // namespace holdfast::issuer
