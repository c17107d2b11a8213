// The keys of routes.
#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

std::string order_without_credentials(World& world) {
  return verdict(world.ask(open_request("/orders/1")));
}

std::string order_from_the_second(World& world) {
  return verdict(world.ask(world.order_with(world.second.sign(world.second.token(kAudience, world.client)))));
}

// Where a client that has no token is sent to learn where to get one.
std::string metadata_of_orders(World& world) {
  const std::string challenge = world.ask(open_request("/orders/1")).fields.value("WWW-Authenticate");
  constexpr std::string_view kName = "resource_metadata=\"";
  const std::size_t at = challenge.find(kName);
  if (at == std::string::npos) return "none";
  return challenge.substr(at + kName.size(), challenge.find('"', at + kName.size()) - at - kName.size());
}

std::string target_at_the_backend(World& world) {
  (void)world.ask_plain(open_request());
  return world.backend.last().target;
}

Look asked(std::string target) {
  return
      [target = std::move(target)](World& world) { return verdict(world.ask_plain(open_request(target))); };
}

std::vector<Case> match_cases() {
  const std::string missed = "404 no_route";
  return {
      {"routes.match.host",
       {},
       {"open.match: {path: /open/**, host: shop.example.com}"},
       open(),
       "200",
       missed},
      {"routes.match.path", {}, {"open.match: {path: /closed/**}"}, open(), "200", missed},
      {"routes.match.methods",
       {},
       {"open.match: {path: /open/**, methods: [PUT, POST]}"},
       open(),
       "200",
       missed},
  };
}

std::vector<Case> requirement_cases() {
  const auto require = [](const std::string& what) { return "route.require: {" + what + "}"; };
  return {
      {"routes.require.scopes",
       {},
       {require("scopes: [\"orders:delete\"]")},
       order(),
       "200",
       "403 scope_missing"},
      {"routes.require.roles", {}, {require("roles: {any: [boss]}")}, order(), "200", "403 role_missing"},
      {"routes.require.roles.any",
       {require("roles: {any: [boss, clerk]}")},
       {require("roles: {any: [boss, chief]}")},
       order(),
       "200",
       "403 role_missing"},
      {"routes.require.roles.all",
       {require("roles: {all: [clerk]}")},
       {require("roles: {all: [clerk, boss]}")},
       order(),
       "200",
       "403 role_missing"},
      {"routes.require.claims",
       {},
       {require("claims: {tenant: [a, b]}")},
       order(),
       "200",
       "403 claim_mismatch"},
      {"routes.require.acr", {}, {require("acr: [gold]")}, order(), "200", "401 step_up_required"},
      {"routes.require.max_auth_age",
       {},
       {require("max_auth_age: 15m")},
       order(),
       "200",
       "401 step_up_required"},
  };
}

std::vector<Case> timeout_and_limit_cases() {
  return {
      {"routes.timeouts.body_idle",
       {},
       {"open.timeouts: {body_idle: 200ms}"},
       body_that_stops(),
       "nothing",
       "408 request_timeout"},
      {"routes.timeouts.stream_idle",
       {},
       {"open.timeouts: {stream_idle: 200ms}"},
       reader_that_takes_nothing(),
       "held",
       "cut"},
      {"routes.timeouts.tunnel",
       {},
       {"open.timeouts: {tunnel: 200ms}"},
       tunnel_at_rest(),
       "nothing",
       "closed"},
      {"routes.timeouts.response",
       {},
       {"open.timeouts: {response: 200ms}"},
       backend_that_says_nothing(),
       "nothing",
       "504 upstream_timeout"},
      {"routes.limits.max_body",
       {},
       {"open.limits: {max_body: 10}"},
       large_body(),
       "200",
       "413 request_too_large"},
  };
}

}  // namespace

std::vector<Case> route_cases() {
  const std::string another = "issuers+: {name: second, url: @second, audiences: [orders-api]}";
  std::vector<Case> cases{
      {"routes",
       {},
       {"routes+: {name: late, match: {path: /late}, access: public}"},
       asked("/late"),
       "404 no_route",
       "200"},
      {"routes.name", {}, {"open.name: entrance"}, logged("route"), "open", "entrance"},
      {"routes.access", {}, {"open.access: deny"}, open(), "200", "403 route_denied"},
      {"routes.issuers",
       {another, "route.issuers: [demo, second]"},
       {"route.issuers: [demo]"},
       order_from_the_second,
       "200",
       "401 token_issuer"},
      {"routes.resource",
       {},
       {"route.resource: https://api.example.com/v1"},
       metadata_of_orders,
       "https://api.example.com/.well-known/oauth-protected-resource",
       "https://api.example.com/.well-known/oauth-protected-resource/v1"},
      {"routes.nonce", {}, {"route.nonce: required"}, order(), "200", "401 nonce_required"},
      {"routes.enforce",
       {},
       {"route.enforce: false"},
       order_without_credentials,
       "401 no_credentials",
       "200"},
      {"routes.upstream",
       {"upstreams+: {name: spare, servers: [@other]}", "route.upstream: backend", "open.upstream: backend"},
       {"open.upstream: spare"},
       who_answers(),
       "backend",
       "other"},
      {"routes.strip_prefix", {}, {"open.strip_prefix: /open"}, target_at_the_backend, "/open/x", "/x"},
  };
  for (const auto& table :
       {match_cases(), requirement_cases(), cors_cases("routes.", "open."), timeout_and_limit_cases()})
    cases.insert(cases.end(), table.begin(), table.end());
  return cases;
}

}  // namespace holdfast::integration::keys
