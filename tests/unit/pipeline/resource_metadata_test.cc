// Where tokens come from, told before any route is looked at, and in challenges (RFC 9728).
#include "answer/resource_metadata.h"
#include "flow_test.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

const std::string kWellKnown(answer::kResourceMetadataPath);

class ResourceMetadataFlowTest : public FlowTest {
 protected:
  ResourceMetadataFlowTest() { flow->replace_rules(with_resources()); }

  static std::shared_ptr<Rules> with_resources() {
    // A route that takes everything else, so that what is no metadata meets it.
    auto made = rules();
    const policy::Route rest{.name = "rest"};
    std::vector<policy::Route> routes = made->routes.routes();
    routes.push_back(rest);
    made->routes = policy::RouteTable(routes);
    made->links.push_back({.issuers = {0}});
    for (const policy::Route& route : made->routes.routes()) {
      if (route.name == "scoped") {
        made->listeners[0].resources.add(route.index, {.resource = std::string(kOrigin) + "/scoped"});
      } else if (route.access == policy::Access::dpop) {
        made->listeners[0].resources.add(route.index, {.authorization_servers = {"https://id.example.com"}});
      }
    }
    return made;
  }
};

TEST_F(ResourceMetadataFlowTest, IsThereForEverybody) {
  const auto sent = send(kWellKnown, {});
  EXPECT_EQ(sent.client->status, 200);
  const auto document = boost::json::parse(sent.client->body);
  EXPECT_EQ(document.at("resource").as_string(), kOrigin);
  EXPECT_EQ(document.at("authorization_servers").as_array(), boost::json::array{"https://id.example.com"});
  EXPECT_EQ(sent.client->fields.find("Access-Control-Allow-Origin"), "*");
  EXPECT_EQ(send(kWellKnown + "?a=b", {}).client->status, 200);
  EXPECT_EQ(boost::json::parse(send(kWellKnown + "/scoped", {}).client->body).at("resource").as_string(),
            std::string(kOrigin) + "/scoped");
  const auto head = send(kWellKnown, {}, "HEAD");
  EXPECT_EQ(head.client->status, 200);
  EXPECT_EQ(head.client->body, "");
  EXPECT_EQ(head.client->fields.find("Content-Type"), "application/json");
  ASSERT_EQ(log.lines.size(), 4U);
  EXPECT_EQ(log.lines[0].status, 200U);
  EXPECT_FALSE(log.lines[0].reason);
  EXPECT_EQ(log.lines[0].decision, "allow");
  EXPECT_TRUE(upstreams.opened.empty());
}

TEST_F(ResourceMetadataFlowTest, WhatIsNoMetadataGoesOnToTheRoutes) {
  for (const auto& [path, method] : std::initializer_list<std::pair<std::string, std::string_view>>{
           {kWellKnown, "POST"},
           {kWellKnown, "OPTIONS"},
           {kWellKnown, "get"},
           {kWellKnown + "/", "GET"},
           {kWellKnown + "/orders", "GET"},
           {"/.well-known//oauth-protected-resource", "GET"},
       }) {
    EXPECT_NE(send(path, {}, method).client->status, 200) << method << path;
  }
  auto made = with_resources();
  made->listeners[0].origin.public_origins = {*http::parse_origin("https://elsewhere.example.com"),
                                              *http::parse_origin("https://else.example.com")};
  flow->replace_rules(made);
  EXPECT_EQ(send(kWellKnown, {}).client->reason(), "origin_unknown")
      << "who calls this server by another's name is told nothing";
}

TEST_F(ResourceMetadataFlowTest, ChallengesNameIt) {
  const auto challenge = [this](std::string_view path) {
    return std::string(send(path, {}).client->fields.find("WWW-Authenticate").value_or(""));
  };
  EXPECT_TRUE(
      challenge("/orders/1").ends_with(", resource_metadata=\"https://api.example.com" + kWellKnown + "\""))
      << challenge("/orders/1");
  EXPECT_TRUE(challenge("/scoped").ends_with(", resource_metadata=\"https://api.example.com" + kWellKnown +
                                             "/scoped\""))
      << challenge("/scoped");
  EXPECT_EQ(challenge("/closed"), "");
}

}  // namespace
}  // namespace holdfast::pipeline
