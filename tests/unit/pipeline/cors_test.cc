// Cross-origin requests of browsers in the story: preflights are answered here, and every answer says who may
// read it.
#include "policy/cors.h"

#include "answer/resource_metadata.h"
#include "flow_test.h"

namespace holdfast::pipeline {
namespace {

using namespace testing;

constexpr std::string_view kApp = "https://app.example.com";
constexpr std::string_view kAllowOrigin = "Access-Control-Allow-Origin";

class CorsFlowTest : public FlowTest {
 protected:
  CorsFlowTest() { flow->replace_rules(with_cors()); }

  // On the guarded and the closed route, and on POST of a path whose GET says nothing.
  static std::shared_ptr<Rules> with_cors() {
    auto made = rules({{.name = "post", .match = {.paths = {"/half"}, .methods = {"POST"}}},
                       {.name = "rest", .match = {.paths = {"/half"}}}});
    const auto cors = std::make_shared<const policy::CorsRules>(
        policy::CorsRules{.origins = {std::string(kApp)}, .max_age = 5min});
    for (const policy::Route& route : made->routes.routes()) {
      if (route.name == "guarded" || route.name == "closed" || route.name == "post" || route.name == "nonced")
        made->links[route.index].cors = cors;
    }
    made->has_cors = true;
    return made;
  }

  Sent preflight(std::string_view path, std::string_view method, std::string_view from = kApp) {
    return send(path,
                {{"Origin", std::string(from)},
                 {"Access-Control-Request-Method", std::string(method)},
                 {"Access-Control-Request-Headers", "authorization,dpop,x-a"}},
                "OPTIONS");
  }
  static std::string allowed(const Sent& sent) {
    return std::string(sent.client->fields.find(kAllowOrigin).value_or("none"));
  }
};

TEST_F(CorsFlowTest, APreflightIsAnsweredForTheRouteThatTakesItsMethod) {
  const auto guarded = preflight("/orders/1", "PUT");
  EXPECT_EQ(guarded.client->status, 204);
  EXPECT_EQ(allowed(guarded), kApp);
  EXPECT_EQ(guarded.client->fields.find("Access-Control-Allow-Methods"), "PUT");
  EXPECT_EQ(guarded.client->fields.find("Access-Control-Allow-Headers"), "authorization, dpop, x-a");
  EXPECT_EQ(guarded.client->fields.find("Access-Control-Max-Age"), "300");
  EXPECT_TRUE(guarded.client->ended);
  EXPECT_EQ(log.lines.at(0).route, "guarded");
  EXPECT_EQ(log.lines.at(0).decision, "allow");
  EXPECT_EQ(preflight("/half", "POST").client->status, 204);
  EXPECT_EQ(preflight("/closed", "GET").client->status, 204) << "so that its refusal can be read";
  const auto foreign = preflight("/orders/1", "PUT", "https://evil.example.com");
  EXPECT_EQ(foreign.client->status, 204);
  EXPECT_EQ(allowed(foreign), "none");
  EXPECT_TRUE(upstreams.opened.empty());
}

TEST_F(CorsFlowTest, WithoutRulesAnOptionsIsARequestLikeAnyOther) {
  EXPECT_EQ(preflight("/half", "GET").client->reason(), "no_credentials");
  EXPECT_EQ(preflight("/nowhere", "GET").client->reason(), "no_route");
  EXPECT_EQ(preflight("/open/1", "GET").client->status, 0);
  ASSERT_EQ(upstreams.opened.size(), 1U) << "the backend answers for a public route";
  upstreams.opened[0]->respond(200, "", {{std::string(kAllowOrigin), "*"}});
  const auto plain = send("/orders/1", {{"Origin", std::string(kApp)}}, "OPTIONS");
  EXPECT_EQ(plain.client->reason(), "no_credentials");
}

TEST_F(CorsFlowTest, RefusalsCanBeRead) {
  const std::pair<std::string, std::string> origin{"Origin", kApp};
  const auto none = send("/orders/1", {origin});
  EXPECT_EQ(none.client->status, 401);
  EXPECT_EQ(allowed(none), kApp);
  EXPECT_EQ(none.client->fields.find("Access-Control-Expose-Headers"),
            "WWW-Authenticate, DPoP-Nonce, Date, Retry-After");
  EXPECT_EQ(none.client->fields.find("Vary"), "Origin");
  EXPECT_EQ(allowed(send("/closed", {origin})), kApp);
  EXPECT_EQ(allowed(send("/nonced", {origin})), kApp);
  EXPECT_EQ(allowed(send("/orders/1", {{"Origin", "https://evil.example.com"}})), "none");
  EXPECT_EQ(send("/orders/1", {}).client->fields.find("Vary"), "Origin");
  EXPECT_EQ(allowed(send("/half", {origin})), "none") << "GET";
  EXPECT_EQ(allowed(send("/nowhere", {origin})), "none");
  short_of_memory = true;
  const auto overloaded = send("/orders/1", {origin});
  EXPECT_EQ(overloaded.client->reason(), "overloaded");
  EXPECT_EQ(allowed(overloaded), kApp);
}

TEST_F(CorsFlowTest, TheBackendsAnswerSaysOnlyWhatTheRouteSays) {
  const auto answered = [this](std::string_view from) {
    const std::string t = token();
    const auto sent = send(
        "/orders/1",
        {{"Authorization", "DPoP " + t}, {"DPoP", proof(t, "/orders/1")}, {"Origin", std::string(from)}});
    upstreams.opened.back()->respond(200, "",
                                     {{std::string(kAllowOrigin), "*"},
                                      {"Access-Control-Allow-Credentials", "true"},
                                      {"Access-Control-Expose-Headers", "X-Total"}});
    return sent;
  };
  const auto app = answered(kApp);
  EXPECT_EQ(app.client->status, 200);
  EXPECT_EQ(allowed(app), kApp);
  EXPECT_EQ(app.client->fields.count(kAllowOrigin), 1U);
  EXPECT_FALSE(app.client->fields.contains("Access-Control-Allow-Credentials"));
  EXPECT_EQ(app.client->fields.find("Access-Control-Expose-Headers"),
            "WWW-Authenticate, DPoP-Nonce, Date, Retry-After, X-Total");
  EXPECT_EQ(upstreams.opened.back()->head.fields.find("Origin"), kApp) << "passes as it came";
  EXPECT_EQ(allowed(answered("https://evil.example.com")), "none");
}

TEST_F(CorsFlowTest, TheFilesOwnRulesAreForWhatIsNoRoutes) {
  auto made = with_cors();
  made->cors =
      std::make_shared<const policy::CorsRules>(policy::CorsRules{.origins = {"https://all.example.com"}});
  flow->replace_rules(made);
  const std::pair<std::string, std::string> all{"Origin", "https://all.example.com"};
  EXPECT_EQ(allowed(send("/nowhere", {all})), "https://all.example.com");
  EXPECT_EQ(allowed(send("/%", {all})), "https://all.example.com");
  EXPECT_EQ(allowed(send("/orders/1", {all})), "none") << "the route has its own";
  EXPECT_EQ(allowed(send("/half", {all})), "none") << "the route has none";
}

TEST_F(CorsFlowTest, MetadataIsForEveryPage) {
  auto made = with_cors();
  made->listeners[0].resources.add(made->routes.routes().back().index, {});
  flow->replace_rules(made);
  const std::string path(answer::kResourceMetadataPath);
  EXPECT_EQ(allowed(preflight(path, "GET", "https://evil.example.com")), "*");
  EXPECT_EQ(allowed(send(path, {{"Origin", "https://evil.example.com"}})), "*");
  EXPECT_EQ(preflight(path, "POST").client->reason(), "no_route");
}

}  // namespace
}  // namespace holdfast::pipeline
