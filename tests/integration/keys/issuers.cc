// The keys of issuers.
#include <mutex>
#include <thread>

#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

using support::Members;

std::string ready_issuer(World& world) {
  return world.settle([&world]() -> std::string {
    const std::string said = world.ask_probes("/readyz?verbose").body;
    return said.find("keycloak") != std::string::npos ? "keycloak"
           : said.find("demo") != std::string::npos   ? "demo"
                                                      : said;
  });
}

// A token that the second issuer, or one by another URL, gave out.
std::string order_from_the_second(World& world) {
  return verdict(world.ask(world.order_with(world.second.sign(world.second.token(kAudience, world.client)))));
}

std::string order_from_the_moved(World& world) {
  return verdict(world.ask(world.order_with(world.token(
      [&world](AccessToken& token) { token.payload.text("iss", world.documents.url() + "/moved"); }))));
}

std::string order_from_behind_tls(World& world) {
  return world.settle([&world] {
    return verdict(world.ask(world.order_with(world.token([&world](AccessToken& token) {
      token.payload.text("iss", "https://localhost:" + std::to_string(world.tls_port) + "/open/id");
    }))));
  });
}

std::string checked(World& world) {
  return std::to_string(world.check().exit_code);
}

// ---- when keys are fetched

std::string fetches_by_itself(World& world) {
  const std::size_t before = world.issuer.jwks_fetches();
  return world.settle([&] { return std::string(world.issuer.jwks_fetches() > before ? "again" : "once"); });
}

std::string fetches_for_unknown_keys(World& world) {
  constexpr std::size_t kBurst = 3;
  const std::size_t before = world.issuer.jwks_fetches();
  return world.settle([&] {
    (void)world.ask(world.order_with(
        world.token([](AccessToken& token) { token.header.text("kid", support::random_id()); })));
    return std::string(world.issuer.jwks_fetches() - before > kBurst + 1 ? "more" : "a burst");
  });
}

std::string order_while_it_is_away(World& world) {
  world.issuer.go_away();
  const std::string seen = world.settle([&world] { return verdict(world.ask(world.order())); });
  world.issuer.come_back();
  return seen;
}

// ---- introspection

// A token that the issuer knows, and that says nothing by itself.
std::string opaque_token(World& world) {
  const std::string token = support::random_id();
  world.issuer.know(token, Members{}
                               .raw("active", "true")
                               .text("token_type", "DPoP")
                               .text("aud", kAudience)
                               .text("sub", "alice")
                               .number("exp", support::unix_now() + 300)
                               .raw("cnf", "{\"jkt\":\"" + world.client.thumbprint() + "\"}"));
  return token;
}

std::string opaque(World& world) {
  return verdict(world.ask(world.order_with(opaque_token(world))));
}

std::string questions(World& world) {
  const std::string token = opaque_token(world);
  const std::size_t before = world.issuer.introspections();
  for (int i = 0; i < 2; ++i) (void)world.ask(world.order_with(token));
  return std::to_string(world.issuer.introspections() - before);
}

// What the issuer is sent when it is asked: Authorization, or the header of the assertion.
std::string shown(World& world) {
  std::mutex mutex;
  std::string seen;
  world.issuer.on_introspection([&](Exchange& exchange) {
    exchange.read_body();
    const std::lock_guard lock(mutex);
    const std::string& body = exchange.request.body;
    const std::size_t at = body.rfind("client_assertion=");
    if (at == std::string::npos) {
      seen = exchange.request.fields.value("Authorization").substr(0, 5);
    } else {
      seen = support::base64url_decode(body.substr(at + 17, body.find('.', at) - at - 17));
    }
    exchange.respond(200, "Content-Type: application/json\r\n", R"({"active":false})");
  });
  (void)opaque(world);
  world.issuer.on_introspection(nullptr);
  const std::lock_guard lock(mutex);
  return seen;
}

std::string introspection(const std::string& more) {
  return "idp.introspection: {mode: opaque, client_id: orders-api, " + more + "}";
}

std::vector<Case> introspection_cases() {
  const std::string secret = "client_secret_file: client.secret";
  const std::string key = "auth: private_key_jwt, key_file: ec.pem";
  const std::string of_ec = R"({"alg":"ES256","typ":"JWT"})";
  return {
      {"issuers.introspection.mode",
       {"idp.introspection: {mode: off}"},
       {introspection(secret)},
       opaque,
       "401 token_malformed",
       "200"},
      {"issuers.introspection.url",
       {introspection(secret)},
       {introspection(secret + ", url: @documents/introspect")},
       opaque,
       "200",
       "401 token_inactive"},
      {"issuers.introspection.client_id",
       {introspection(secret)},
       {"idp.introspection: {mode: opaque, client_id: somebody, " + secret + "}"},
       opaque,
       "200",
       "503 introspection_unavailable"},
      {"issuers.introspection.client_secret_file",
       {introspection(secret)},
       {introspection("client_secret_file: other.secret")},
       opaque,
       "200",
       "503 introspection_unavailable"},
      {"issuers.introspection.auth", {introspection(secret)}, {introspection(key)}, shown, "Basic", of_ec},
      {"issuers.introspection.key_file",
       {introspection(key)},
       {introspection("auth: private_key_jwt, key_file: rsa.pem")},
       shown,
       of_ec,
       R"({"alg":"RS256","typ":"JWT"})"},
      {"issuers.introspection.kid",
       {introspection(key)},
       {introspection(key + ", kid: k-1")},
       shown,
       of_ec,
       R"({"alg":"ES256","typ":"JWT","kid":"k-1"})"},
      {"issuers.introspection.cache",
       {introspection(secret + ", cache: 0s")},
       {introspection(secret + ", cache: 30s")},
       questions,
       "2",
       "1"},
  };
}

}  // namespace

std::vector<Case> issuer_cases() {
  const std::string another = "issuers+: {name: second, url: @second, audiences: [orders-api]}";
  std::vector<Case> cases{
      {"issuers",
       {"route.issuers: [demo]"},
       {another, "route.issuers: [demo, second]"},
       order_from_the_second,
       "401 token_issuer",
       "200"},
      {"issuers.name", {}, {"idp.name: keycloak"}, ready_issuer, "demo", "keycloak"},
      {"issuers.url", {}, {"idp.url: @second"}, order_from_the_second, "401 token_issuer", "200"},
      {"issuers.discovery_url",
       {"idp.url: @documents/moved"},
       {"idp.discovery_url: @documents/elsewhere"},
       order_from_the_moved,
       "200",
       "401 token_key_unknown"},
      {"issuers.jwks_url",
       {"idp.url: @documents/moved"},
       {"idp.jwks_url: @documents/other-keys"},
       order_from_the_moved,
       "200",
       "401 token_key_unknown"},
      {"issuers.audiences", {}, {"idp.audiences: [other-api]"}, order(), "200", "401 token_audience"},
      {"issuers.algorithms", {}, {"idp.algorithms: [ES256]"}, order(), "200", "401 token_algorithm"},
      {"issuers.token_type", {}, {"idp.token_type: at+jwt"}, order(), "200", "401 token_type"},
      {"issuers.clock_skew",
       {},
       {"idp.clock_skew: 0s"},
       order_with_token([](AccessToken& token) { token.payload.number("exp", support::unix_now() - 2); }),
       "200",
       "401 token_expired"},
      {"issuers.allow_http",
       {"idp.url: http://id.example.com"},
       {"idp.allow_http: true"},
       checked,
       "3",
       "0",
       By::kCheck},
      {"issuers.ca",
       {"idp.url: https://localhost:@tls_port/open/id", "idp.ca: @stranger"},
       {"idp.ca: tls.crt"},
       order_from_behind_tls,
       "503 issuer_unavailable",
       "200",
       By::kRestart},
      {"issuers.jwks.refresh", {}, {"idp.jwks: {refresh: 1s}"}, fetches_by_itself, "once", "again"},
      {"issuers.jwks.min_refetch_interval",
       {},
       {"idp.jwks: {min_refetch_interval: 1s}"},
       fetches_for_unknown_keys,
       "a burst",
       "more"},
      {"issuers.jwks.max_stale",
       {"idp.jwks: {refresh: 1s, max_stale: 1h}"},
       {"idp.jwks: {refresh: 1s, max_stale: 1s}"},
       order_while_it_is_away,
       "200",
       "503 issuer_unavailable",
       By::kRestart},
  };
  const std::vector<Case> more = introspection_cases();
  cases.insert(cases.end(), more.begin(), more.end());
  return cases;
}

}  // namespace holdfast::integration::keys
