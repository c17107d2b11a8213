#include "answer/resource_metadata.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <string>
#include <utility>

namespace holdfast::answer {
namespace {

const AnswerSettings kSettings{.algs = "ES256 Ed25519"};

http::Origin origin(std::string_view text) {
  return *http::parse_origin(text);
}

TEST(ResourceMetadata, LiesBetweenOriginAndPath) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"https://a", "https://a/.well-known/oauth-protected-resource"},
      {"https://a/", "https://a/.well-known/oauth-protected-resource"},
      {"https://a:8443/v1", "https://a:8443/.well-known/oauth-protected-resource/v1"},
      {"https://a/v1/", "https://a/.well-known/oauth-protected-resource/v1/"},
      {"http://[::1]:80/a//b", "http://[::1]:80/.well-known/oauth-protected-resource/a//b"},
  };
  for (const auto& [resource, url] : cases) EXPECT_EQ(resource_metadata_url(resource), url);
}

TEST(ResourceMetadata, EachResourceIsFoundAtItsOwnPlace) {
  ResourceTable table;
  table.add(0, {.resource = "https://api.example.com/v1"});
  table.add(2, {.resource = "https://api.example.com"});
  table.add(3, {.resource = "https://other.example.com/v1"});
  const auto at = [&table](std::string_view host, std::string_view path) -> std::string {
    const ProtectedResource* const found = table.find(origin(host), path);
    return found == nullptr ? "" : found->resource;
  };
  const std::string well_known(kResourceMetadataPath);
  EXPECT_EQ(at("https://api.example.com", well_known), "https://api.example.com");
  EXPECT_EQ(at("https://api.example.com", well_known + "/v1"), "https://api.example.com/v1");
  EXPECT_EQ(at("https://other.example.com", well_known + "/v1"), "https://other.example.com/v1");
  for (const auto& [host, path] : std::initializer_list<std::pair<std::string_view, std::string>>{
           {"https://api.example.com", well_known + "/v1/"},
           {"https://api.example.com", well_known + "/v2"},
           {"https://api.example.com", well_known + "/"},
           {"https://api.example.com", well_known + "v1"},
           {"https://api.example.com", "/v1"},
           {"https://api.example.com", "/"},
           {"https://api.example.com", "/.well-known/oauth-protected-resourc"},
           {"https://other.example.com", well_known},
           {"http://api.example.com", well_known},
           {"https://api.example.com:8443", well_known + "/v1"},
       }) {
    EXPECT_EQ(at(host, path), "") << host << path;
  }
  EXPECT_EQ(table.url_of(0, origin("https://x")), "https://api.example.com" + well_known + "/v1");
  EXPECT_EQ(table.url_of(1, origin("https://x")), "") << "a route that nobody added";
  EXPECT_EQ(table.url_of(2, origin("https://x")), "https://api.example.com" + well_known);
  EXPECT_EQ(table.url_of(9, origin("https://x")), "");
}

TEST(ResourceMetadata, WithoutANameItIsTheOriginThatARequestIsFor) {
  ResourceTable table;
  table.add(0, {.authorization_servers = {"https://id"}});
  for (const char* const text : {"https://a.example.com", "http://localhost:8080"}) {
    const ProtectedResource* const found = table.find(origin(text), kResourceMetadataPath);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(boost::json::parse(make_resource_metadata(kSettings, *found, origin(text)).body)
                  .at("resource")
                  .as_string(),
              text);
    EXPECT_EQ(table.url_of(0, origin(text)), text + std::string(kResourceMetadataPath));
  }
  EXPECT_EQ(table.find(origin("https://a.example.com"), std::string(kResourceMetadataPath) + "/v1"), nullptr);
}

TEST(ResourceMetadata, SaysWhatHoldsForAllOfAResourcesRoutes) {
  ResourceTable table;
  table.add(0, {.resource = "https://a",
                .authorization_servers = {"https://id/2", "https://id/1"},
                .scopes = {"write"}});
  table.add(1, {.resource = "https://a/",
                .authorization_servers = {"https://id/1", "https://id/3"},
                .scopes = {"read", "write"}});
  const auto said = [&table] {
    return make_resource_metadata(kSettings, *table.find(origin("https://a"), kResourceMetadataPath),
                                  origin("https://a"));
  };
  const Answer answer = said();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.fields.find("Content-Type"), "application/json");
  EXPECT_EQ(answer.fields.find("Access-Control-Allow-Origin"), "*");
  EXPECT_FALSE(answer.close);
  EXPECT_EQ(boost::json::parse(answer.body), boost::json::parse(R"({
    "resource": "https://a",
    "authorization_servers": ["https://id/2", "https://id/1", "https://id/3"],
    "bearer_methods_supported": ["header"],
    "dpop_signing_alg_values_supported": ["ES256", "Ed25519"],
    "dpop_bound_access_tokens_required": true,
    "scopes_supported": ["read", "write"]})"));
  table.add(2, {.resource = "https://a", .bearer_taken = true});
  EXPECT_EQ(boost::json::parse(said().body).at("dpop_bound_access_tokens_required").as_bool(), false);
}

TEST(ResourceMetadata, WithoutScopesNoneAreListed) {
  const Answer answer = make_resource_metadata(kSettings, {.resource = "https://a"}, origin("https://a"));
  EXPECT_FALSE(boost::json::parse(answer.body).as_object().contains("scopes_supported"));
}

}  // namespace
}  // namespace holdfast::answer
