// The story of a request with a fake world around it: one listener, one issuer with one key, a few routes,
// and a client with its key.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fake_world.h"
#include "pipeline/request_flow.h"

namespace holdfast::pipeline::testing {

using namespace std::chrono_literals;

inline constexpr std::string_view kOrigin = "https://api.example.com";

class FlowTest : public ::testing::Test {
 protected:
  FlowTest() {
    test_now = {UnixTime(std::chrono::seconds(kStart)), SteadyTime(1h)};
    keys.current = keys_of(issuer, "k1", 1);
    connection.tls = true;
    connection.client_ip = "192.0.2.7";
    flow = std::make_unique<RequestFlow>(FlowPorts{.keys = keys,
                                                   .introspector = introspector,
                                                   .replay = replay,
                                                   .upstreams = upstreams,
                                                   .log = log,
                                                   .alarms = alarms,
                                                   .now = read_test_clock,
                                                   .overloaded = &short_of_memory},
                                         rules());
  }

  ~FlowTest() override {
    // A backend that never answered and its request hold each other.
    for (const Ref<FakeBackend>& backend : upstreams.opened) backend->client.reset();
  }

  static IssuerKeys keys_of(const Signer& signer, std::string_view kid, std::uint64_t generation) {
    boost::json::object jwk = signer.jwk();
    jwk["kid"] = kid;
    const boost::json::object set{{"keys", boost::json::array{jwk}}};
    return {generation,
            std::make_shared<const jose::KeySet>(*jose::KeySet::parse(boost::json::serialize(set)))};
  }

  // With `first` before the fixture's own routes.
  static std::shared_ptr<Rules> rules(std::vector<policy::Route> first = {}) {
    policy::Route open{
        .name = "open", .match = {.paths = {"/open/**"}}, .access = policy::Access::public_access};
    open.upstream = "api";
    policy::Route closed{.name = "closed", .match = {.paths = {"/closed"}}, .access = policy::Access::deny};
    policy::Route scoped{.name = "scoped", .match = {.paths = {"/scoped"}}};
    scoped.require.scopes = {"orders:write"};
    policy::Route nonced{.name = "nonced", .match = {.paths = {"/nonced"}}, .nonce_required = true};
    policy::Route stripped{.name = "stripped", .match = {.paths = {"/v1/**"}}, .strip_prefix = "/v1"};
    policy::Route guarded{.name = "guarded", .match = {.paths = {"/orders/**"}}};
    std::vector<policy::Route> routes = std::move(first);
    for (const policy::Route& each : {open, closed, scoped, nonced, stripped, guarded})
      routes.push_back(each);
    std::vector<RouteLinks> links;
    for (const policy::Route& each : routes) {
      links.push_back({.issuers = {0}, .nonce_required = each.nonce_required.value_or(false)});
    }
    auto made = std::make_shared<Rules>(Rules{
        .routes = policy::RouteTable(std::move(routes)),
        .links = std::move(links),
        .nonces =
            std::make_shared<const dpop::NonceIssuer>(Secret("sixteen bytes or more"), std::nullopt, 5min),
        .headers = identity::HeaderPlan({.client_certificate = "X-Client-Subject"})});
    made->listeners.push_back(
        {.name = "public", .origin = {.public_origins = {*http::parse_origin(kOrigin)}}});
    made->issuers.push_back({.issuer = "https://id.example.com", .audiences = {"api"}});
    made->issuer_numbers = {0};
    return made;
  }

  std::string token(boost::json::object changes = {}, const Signer* by = nullptr, std::string_view kid = "k1",
                    std::initializer_list<const char*> without = {}) {
    boost::json::object claims{{"iss", "https://id.example.com"},
                               {"aud", "api"},
                               {"sub", "alice"},
                               {"exp", kStart + 300},
                               {"cnf", {{"jkt", holder.jkt()}}}};
    for (auto& [name, value] : changes) claims[name] = value;
    for (const char* const name : without) claims.erase(name);
    return (by != nullptr ? *by : issuer).sign({{"alg", "ES256"}, {"typ", "JWT"}, {"kid", kid}}, claims);
  }

  std::string proof(std::string_view token, std::string_view path, boost::json::object changes = {},
                    const Signer* by = nullptr, std::string_view method = "GET") {
    const Signer& signer = by != nullptr ? *by : holder;
    const auto digest = crypto::sha256(token);
    boost::json::object claims{
        {"jti", "jti-" + std::to_string(++proofs)},
        {"htm", method},
        {"htu", std::string(kOrigin) + std::string(path)},
        {"iat", std::chrono::duration_cast<std::chrono::seconds>(test_now.wall.time_since_epoch()).count()},
        {"ath", base64url_encode(digest)}};
    for (auto& [name, value] : changes) claims[name] = value;
    return signer.sign({{"alg", "ES256"}, {"typ", "dpop+jwt"}, {"jwk", signer.jwk()}}, claims);
  }

  struct Sent {
    Ref<FakeClient> client;
    Ref<BackendStream> request;
  };

  Sent send(std::string_view target, std::vector<std::pair<std::string, std::string>> fields,
            std::string_view method = "GET") {
    http::RequestHead head;
    head.method = head.fields.arena().store(method);
    head.target = head.fields.arena().store(target);
    head.authority = "api.example.com";
    head.fields.add("Host", "api.example.com");
    for (const auto& [name, value] : fields) head.fields.add(name, value);
    auto client = make_counted<FakeClient>();
    auto request = flow->start(std::move(head), connection, client);
    return {client, request};
  }

  Sent call(std::string_view path, const std::string& token, const std::string& proof) {
    return send(path, {{"Authorization", "DPoP " + token}, {"DPoP", proof}});
  }
  Sent call(std::string_view path) {
    const std::string t = token();
    return call(path, t, proof(t, path));
  }

  Signer issuer, holder, stranger;
  FakeKeys keys;
  FakeIntrospector introspector;
  FakeReplay replay;
  FakeUpstreams upstreams;
  FakeLog log;
  FakeAlarms alarms;
  std::atomic<bool> short_of_memory = false;
  ConnectionFacts connection;
  std::unique_ptr<RequestFlow> flow;
  int proofs = 0;
};

}  // namespace holdfast::pipeline::testing
