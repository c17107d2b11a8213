// Protected resource metadata (RFC 9728), as a client that knows the API alone finds it: a challenge names
// the place, and what lies there names the same resource.
#include <boost/json/parse.hpp>

#include "sidecar.h"

namespace holdfast::integration {
namespace {

namespace json = boost::json;

const std::string kWellKnown = "/.well-known/oauth-protected-resource";

Request get(const std::string& target, std::string_view method = "GET") {
  Request request;
  request.method = method;
  request.target = target;
  return request;
}

std::string metadata_url(const Response& answer) {
  const std::string challenge = answer.fields.value("WWW-Authenticate");
  const std::string parameter = "resource_metadata=\"";
  const std::size_t at = challenge.find(parameter);
  if (at == std::string::npos) return "none in " + challenge;
  const std::size_t begin = at + parameter.size();
  return challenge.substr(begin, challenge.find('"', begin) - begin);
}

TEST(ResourceMetadataTest, LeadsFromAChallengeToTheIssuer) {
  Sidecar sidecar(Settings{
      .routes =
          "  - {name: write, match: {path: /shop/**}, resource: \"https://api.example.com/shop\", access: "
          "dpop_or_bearer, require: {scopes: [\"shop:buy\"]}, upstream: backend}\n"});
  const Response refused = sidecar.send(get("/orders/1"));
  expect_refusal(refused, 401, "no_credentials");
  EXPECT_EQ(metadata_url(refused), "https://api.example.com" + kWellKnown);
  const Response answer = sidecar.send(get(kWellKnown));
  ASSERT_EQ(answer.status, 200) << answer.head;
  EXPECT_EQ(answer.fields.value("Content-Type"), "application/json");
  EXPECT_EQ(answer.fields.value("Access-Control-Allow-Origin"), "*");
  const json::object document = json::parse(answer.body).as_object();
  EXPECT_EQ(document.at("resource").as_string(), "https://api.example.com");
  EXPECT_EQ(document.at("authorization_servers").as_array(), json::array{sidecar.issuer.url()});
  EXPECT_EQ(document.at("dpop_bound_access_tokens_required").as_bool(), true);
  EXPECT_EQ(document.at("scopes_supported").as_array(), (json::array{"orders:read", "orders:write"}));
  const json::array& algorithms = document.at("dpop_signing_alg_values_supported").as_array();
  EXPECT_EQ(algorithms.size(), 11U);
  EXPECT_EQ(algorithms.at(0).as_string(), "ES256");

  const Response shop = sidecar.send(get("/shop/1"));
  EXPECT_EQ(metadata_url(shop), "https://api.example.com" + kWellKnown + "/shop");
  const json::object own = json::parse(sidecar.send(get(kWellKnown + "/shop")).body).as_object();
  EXPECT_EQ(own.at("resource").as_string(), "https://api.example.com/shop");
  EXPECT_EQ(own.at("dpop_bound_access_tokens_required").as_bool(), false);
  EXPECT_EQ(own.at("scopes_supported").as_array(), json::array{"shop:buy"});

  EXPECT_EQ(sidecar.send(get(kWellKnown, "HEAD")).status, 200);
  EXPECT_EQ(sidecar.send(get(kWellKnown, "POST")).status, 404);
  EXPECT_EQ(sidecar.send(get(kWellKnown + "/other")).status, 404);
  EXPECT_EQ(metadata_url(sidecar.send(get("/denied/1"))), "none in ");
  EXPECT_EQ(sidecar.backend.seen_count(), 0U);
}

TEST(ResourceMetadataTest, IsAboutTheOriginThatWasCalledWhereNoneIsConfigured) {
  const Sidecar sidecar;
  const std::string host = "127.0.0.1:" + std::to_string(sidecar.plain_port);
  const auto ask = [&](const std::string& name, const std::string& target) {
    return sidecar.send_raw("GET " + target + " HTTP/1.1\r\nHost: " + name + "\r\n\r\n");
  };
  EXPECT_EQ(metadata_url(ask(host, "/orders/1")), "http://" + host + kWellKnown);
  const Response answer = ask(host, kWellKnown);
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body).at("resource").as_string(), "http://" + host);
  EXPECT_EQ(ask("evil.example.com", kWellKnown).status, 404);
  expect_refusal(ask("evil.example.com", "/orders/1"), 421, "origin_unknown");
}

}  // namespace
}  // namespace holdfast::integration
