// Settings in, rules out: names become numbers, texts become parsed values. The loader has checked all of it,
// so what does not parse here is a mistake of ours and stops the start.
#include "parts/compile_rules.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

#include "crypto/digest.h"

namespace holdfast::parts {
namespace {

jose::AlgorithmSet algorithms(const std::vector<std::string>& names) {
  jose::AlgorithmSet set;
  for (const std::string& name : names) {
    const auto algorithm = jose::algorithm_named(name);
    if (!algorithm) throw std::logic_error("algorithm " + name);
    set.insert(*algorithm);
  }
  return set;
}

http::Origin origin(const settings::Origin& from) {
  const http::Scheme scheme = from.scheme == "https" ? http::Scheme::https : http::Scheme::http;
  return {scheme, http::uri_host(from.host), from.port};
}

// Without a `resource`, a route belongs to the listener's first public origin, and without those to the one
// that a request is for.
answer::ProtectedResource resource(const settings::Settings& settings, const settings::Route& route,
                                   const std::vector<http::Origin>& public_origins) {
  answer::ProtectedResource out;
  if (route.resource) {
    out.resource = *route.resource;
  } else if (!public_origins.empty()) {
    out.resource = public_origins.front().text();
  }
  for (const std::size_t issuer : route.issuers)
    out.authorization_servers.push_back(settings.issuers[issuer].url);
  out.scopes = {route.require.scopes.begin(), route.require.scopes.end()};
  out.bearer_taken = route.access == settings::Access::kDpopOrBearer;
  return out;
}

pipeline::ListenerRules listener_rules(const settings::Settings& settings, const settings::Listener& from) {
  pipeline::ListenerRules rules;
  rules.name = from.name;
  rules.origin.scheme = from.tls ? http::Scheme::https : http::Scheme::http;
  for (const settings::Origin& each : from.public_origins)
    rules.origin.public_origins.push_back(origin(each));
  rules.origin.trusted_proxies = blocks(from.trusted_proxies);
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    if (asks_for_token(settings.routes[i].access))
      rules.resources.add(i, resource(settings, settings.routes[i], rules.origin.public_origins));
  }
  rules.max_body = from.limits.max_body;
  return rules;
}

token::Introspection introspection(settings::IntrospectionMode from) {
  switch (from) {
    case settings::IntrospectionMode::kOff:
      return token::Introspection::kOff;
    case settings::IntrospectionMode::kOpaque:
      return token::Introspection::kOpaque;
    case settings::IntrospectionMode::kAlways:
      break;
  }
  return token::Introspection::kAlways;
}

token::IssuerRules issuer_rules(const settings::Issuer& from) {
  return {.issuer = from.url,
          .any_audience = from.any_audience,
          .audiences = from.audiences,
          .algorithms = algorithms(from.algorithms),
          .token_type = from.token_type == settings::TokenType::kAtJwt ? token::TokenType::kAtJwt
                                                                       : token::TokenType::kAny,
          .introspection = introspection(from.introspection.mode),
          .clock_skew = from.clock_skew};
}

std::shared_ptr<const policy::CorsRules> cors(const std::optional<settings::Cors>& from) {
  if (!from) return nullptr;
  const bool any = from->origins.front() == settings::kAnyOrigin;
  return std::make_shared<const policy::CorsRules>(
      policy::CorsRules{.any_origin = any,
                        .origins = any ? std::vector<std::string>() : from->origins,
                        .credentials = from->credentials,
                        .max_age = std::chrono::floor<std::chrono::seconds>(from->max_age)});
}

policy::Access access(settings::Access from) {
  switch (from) {
    case settings::Access::kDpop:
      return policy::Access::dpop;
    case settings::Access::kDpopOrBearer:
      return policy::Access::dpop_or_bearer;
    case settings::Access::kPublic:
      return policy::Access::public_access;
    case settings::Access::kDeny:
      break;
  }
  return policy::Access::deny;
}

policy::Route route(const settings::Settings& settings, const settings::Route& from) {
  policy::Route route;
  route.name = from.name;
  route.match = {from.match.hosts, from.match.paths, from.match.methods};
  route.access = access(from.access);
  for (const std::size_t issuer : from.issuers) route.issuers.push_back(settings.issuers[issuer].name);
  route.require.scopes = from.require.scopes;
  route.require.roles_any = from.require.roles_any;
  route.require.roles_all = from.require.roles_all;
  for (const settings::ClaimRule& each : from.require.claims) {
    auto claim = policy::parse_claim_path(each.path);
    if (!claim) throw std::logic_error("claim " + each.path);
    route.require.claims.push_back({*std::move(claim), each.path, each.any_of});
  }
  route.require.acr = from.require.acr;
  route.require.max_auth_age = from.require.max_auth_age;
  route.enforce = from.enforce;
  route.nonce_required = from.nonce == settings::NonceMode::kRequired;
  if (from.upstream) route.upstream = settings.upstreams[*from.upstream].name;
  route.strip_prefix = from.strip_prefix;
  return route;
}

bool asks_for_nonce(const settings::Route& route) {
  return asks_for_token(route.access) && route.nonce == settings::NonceMode::kRequired;
}

std::string assertion_audience(const settings::Settings& settings, const settings::Route& from) {
  if (!settings.assertion || !from.upstream) return {};
  return settings.assertion->audience.value_or(settings.upstreams[*from.upstream].name);
}

// The usual name is never a client's to send, even where another one takes its place: a backend that is
// configured for assertions may stand behind a Holdfast that signs nothing yet.
std::vector<std::string> assertion_headers(const settings::Settings& settings) {
  std::vector<std::string> names{settings::Assertion().header};
  if (settings.assertion) names.push_back(settings.assertion->header);
  return names;
}

}  // namespace

std::vector<http::Cidr> blocks(const std::vector<settings::Cidr>& from) {
  std::vector<http::Cidr> out;
  for (const settings::Cidr& each : from) {
    const auto block = http::Cidr::parse(each.address + "/" + std::to_string(each.prefix_length));
    if (!block) throw std::logic_error("address range " + each.address);
    out.push_back(*block);
  }
  return out;
}

std::string nonce_demands(const settings::Settings& settings) {
  bool everywhere = true;
  std::string text;
  for (const settings::Route& route : settings.routes) {
    if (!asks_for_token(route.access)) continue;
    everywhere = everywhere && asks_for_nonce(route);
    text += asks_for_nonce(route) ? '+' : '-';
    for (const auto* const patterns : {&route.match.hosts, &route.match.paths, &route.match.methods}) {
      for (const std::string& pattern : *patterns)
        text.append(std::to_string(pattern.size())).append(":").append(pattern);
      text += ';';
    }
  }
  return everywhere ? std::string() : std::string(crypto::as_text(crypto::sha256(text)));
}

bool asks_for_more_nonces(std::string_view before, const settings::Settings& after) {
  return !before.empty() && needs_nonces(after) && before != nonce_demands(after);
}

bool needs_nonces(const settings::Settings& settings) {
  return std::ranges::any_of(settings.routes, asks_for_nonce);
}

std::shared_ptr<pipeline::Rules> compile_rules(const settings::Settings& settings, const PartNumbers& numbers,
                                               std::shared_ptr<const dpop::NonceIssuer> nonces,
                                               std::shared_ptr<const pipeline::AssertionSigner> assertions) {
  std::vector<policy::Route> routes;
  std::vector<pipeline::RouteLinks> links;
  const auto everywhere = cors(settings.cors);
  for (const settings::Route& from : settings.routes) {
    routes.push_back(route(settings, from));
    links.push_back({.issuers = from.issuers,
                     .upstream = from.upstream ? numbers.upstreams[*from.upstream] : 0,
                     .nonce_required = asks_for_nonce(from),
                     .close_at_expiry = from.close_at_expiry,
                     .cors = from.cors == settings.cors ? everywhere : cors(from.cors),
                     .max_body = from.limits.max_body,
                     .timeouts = {.body_idle = from.timeouts.body_idle,
                                  .stream_idle = from.timeouts.stream_idle,
                                  .tunnel = from.timeouts.tunnel,
                                  .response = from.timeouts.response},
                     .assertion_audience = assertion_audience(settings, from)});
  }
  const settings::IdentityHeaders& names = settings.identity_headers;
  const jose::AlgorithmSet proof_algorithms = algorithms(settings.dpop.algorithms);
  auto rules = std::make_shared<pipeline::Rules>(pipeline::Rules{
      .number = numbers.rules,
      .listeners = {},
      .routes = policy::RouteTable(std::move(routes)),
      .links = std::move(links),
      .issuers = {},
      .issuer_numbers = numbers.issuers,
      .proof = {.algorithms = proof_algorithms,
                .window = {.max_age = settings.dpop.max_age, .clock_skew = settings.dpop.clock_skew}},
      .cors = everywhere,
      .has_cors = std::ranges::any_of(settings.routes,
                                      [](const settings::Route& route) { return route.cors.has_value(); }),
      .nonces = std::move(nonces),
      .headers = identity::HeaderPlan({.sub = names.sub,
                                       .client_id = names.client_id,
                                       .preferred_username = names.preferred_username,
                                       .email = names.email,
                                       .scope = names.scope,
                                       .roles = names.roles,
                                       .iss = names.iss,
                                       .jkt = names.jkt,
                                       .client_certificate = names.client_certificate,
                                       .others = assertion_headers(settings)}),
      .assertions = std::move(assertions),
      .answers = {.algs = proof_algorithms.names(),
                  .key_mismatch_status = static_cast<std::uint16_t>(settings.dpop.key_mismatch_status)}});
  for (const settings::Listener& each : settings.listeners)
    rules->listeners.push_back(listener_rules(settings, each));
  for (const settings::Issuer& each : settings.issuers) rules->issuers.push_back(issuer_rules(each));
  return rules;
}

}  // namespace holdfast::parts
