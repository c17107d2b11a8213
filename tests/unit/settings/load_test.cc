#include "settings/load.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "settings/report.h"
#include "support/places.h"
#include "world.h"

namespace holdfast::settings {
namespace {

std::string shipped(const std::string& name) {
  std::ifstream in(support::source_folder() / "config" / name);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

Settings loaded(std::string_view text, const World& world = a_machine()) {
  Loaded out = load(text, "/etc/holdfast/holdfast.yaml", world);
  EXPECT_EQ(lines_of(out.errors), "");
  return out.settings.value_or(Settings());
}

constexpr std::string_view kMinimal =
    "issuer: https://id.example.com/realms/demo\naudience: orders-api\nupstream: http://127.0.0.1:8000\n";

TEST(Load, ThreeLines) {
  const Settings settings = loaded(kMinimal);
  ASSERT_EQ(settings.listeners.size(), 1U);
  EXPECT_EQ(settings.listeners[0].address, (Address{"", 8443}));
  ASSERT_TRUE(settings.listeners[0].tls);
  EXPECT_EQ(settings.listeners[0].tls->certificates,
            (std::vector<CertificateFiles>{{"/etc/holdfast/tls.crt", "/etc/holdfast/tls.key"}}));
  ASSERT_EQ(settings.issuers.size(), 1U);
  EXPECT_EQ(settings.issuers[0].url, "https://id.example.com/realms/demo");
  EXPECT_EQ(settings.issuers[0].audiences, std::vector<std::string>{"orders-api"});
  EXPECT_FALSE(settings.issuers[0].any_audience);
  ASSERT_EQ(settings.upstreams.size(), 1U);
  EXPECT_EQ(settings.upstreams[0].servers, (std::vector<Server>{{{"http", "127.0.0.1", 8000}, 1}}));
  ASSERT_EQ(settings.routes.size(), 1U);
  EXPECT_EQ(settings.routes[0].match, Match());
  EXPECT_EQ(settings.routes[0].access, Access::kDpop);
  EXPECT_EQ(settings.routes[0].issuers, std::vector<std::size_t>{0});
  EXPECT_EQ(settings.routes[0].upstream, std::optional<std::size_t>(0));
  EXPECT_EQ(settings.dpop, Dpop());
  EXPECT_EQ(settings.workers, std::nullopt);
  EXPECT_EQ(settings.probes, (Address{"", 9080}));
}

TEST(Load, ThreeLinesNeedTheCertificateBesideThem) {
  World bare = a_machine();
  bare.file = [](const std::filesystem::path&) { return FileState::kMissing; };
  EXPECT_EQ(lines_of(load(kMinimal, "/etc/holdfast/holdfast.yaml", bare).errors),
            "1:1: listeners[0].tls.certificates[0].certificate: no such file: \"tls.crt\" beside this file, "
            "the default "
            "where there are no listeners\n"
            "1:1: listeners[0].tls.certificates[0].key: no such file: \"tls.key\" beside this file, the "
            "default where "
            "there are no listeners\n");
}

TEST(Load, WhatIsMissingOfTheThreeLines) {
  const std::string listeners = "listeners: [{name: a, address: ':1', tls: off}]\n";
  EXPECT_EQ(lines_of(load(listeners, "f", a_machine()).errors),
            "1:1: routes: is required; or write three lines: issuer, audience and upstream\n");
  EXPECT_EQ(
      lines_of(load(listeners + "issuer: https://i\nupstream: http://127.0.0.1", "f", a_machine()).errors),
      "1:1: audience: is required beside issuer\n");
  EXPECT_EQ(lines_of(load(listeners + "audience: a\nupstream: http://127.0.0.1", "f", a_machine()).errors),
            "1:1: issuer: is required beside upstream, or routes\n"
            "2:11: audience: goes with issuer, which is missing\n");
}

TEST(Load, WordsThatAreNoMap) {
  const auto refused = [](const char* text) { return lines_of(load(text, "f", a_machine()).errors); };
  EXPECT_EQ(refused("holdfast"), "1:1: a configuration is a map, not \"holdfast\"\n");
  EXPECT_EQ(
      refused("issuer:https://id\n# whose tokens\naudience: a\n"),
      "1:1: a configuration is a map, not \"issuer:https://id\"; a key's colon needs a space behind it\n");
  EXPECT_EQ(refused("https://id\n"), "1:1: a configuration is a map, not \"https://id\"\n");
  EXPECT_EQ(refused("- a\n"), "1:1: a configuration is a map, not a list\n");
}

TEST(Load, ShippedFilesAreValid) {
  for (const char* name : {"minimal.yaml", "sidecar.yaml", "gateway.yaml", "reference.yaml"}) {
    const Loaded out = load(shipped(name), name, a_machine());
    EXPECT_EQ(lines_of(out.errors), "") << name;
    EXPECT_EQ(lines_of(out.warnings), "") << name;
    EXPECT_TRUE(out.settings) << name;
  }
}

// reference.yaml says that it shows defaults: what it writes is what the model has where nothing is written.
TEST(Load, ReferenceShowsTheDefaults) {
  const Settings settings = loaded(shipped("reference.yaml"));
  Dpop dpop = settings.dpop;
  dpop.nonce.secret_file.reset();  // has no default
  EXPECT_EQ(dpop, Dpop());
  const Listener& listener = settings.listeners.at(0);
  EXPECT_EQ(listener.limits, ListenerLimits());
  EXPECT_EQ(listener.timeouts, ListenerTimeouts());
  EXPECT_EQ(listener.tls.value().min_version, ListenerTls().min_version);
  EXPECT_EQ(listener.tls.value().client_auth, ListenerTls().client_auth);
  EXPECT_EQ(listener.tls.value().session_tickets, ListenerTls().session_tickets);
  const Issuer& issuer = settings.issuers.at(0);
  EXPECT_EQ(issuer.algorithms, Issuer().algorithms);
  EXPECT_EQ(issuer.token_type, Issuer().token_type);
  EXPECT_EQ(issuer.clock_skew, Issuer().clock_skew);
  EXPECT_EQ(issuer.allow_http, Issuer().allow_http);
  EXPECT_EQ(issuer.jwks, Jwks());
  EXPECT_EQ(issuer.introspection.mode, Introspection().mode);
  EXPECT_EQ(issuer.introspection.auth, Introspection().auth);
  EXPECT_EQ(issuer.introspection.cache, Introspection().cache);
  const Upstream& upstream = settings.upstreams.at(0);
  EXPECT_EQ(upstream.balance, Upstream().balance);
  EXPECT_EQ(upstream.timeouts, UpstreamTimeouts());
  EXPECT_EQ(upstream.max_connections, Upstream().max_connections);
  EXPECT_EQ(upstream.queue, Upstream().queue);
  EXPECT_EQ(upstream.max_retries, Upstream().max_retries);
  EXPECT_EQ(settings.identity_headers, IdentityHeaders());
  EXPECT_EQ(settings.assertion.value().header, Assertion().header);
  EXPECT_EQ(settings.assertion.value().issuer, Assertion().issuer);
  EXPECT_EQ(settings.assertion.value().lifetime, Assertion().lifetime);
  EXPECT_EQ(settings.probes, Settings().probes);
  EXPECT_EQ(settings.log, Log());
  EXPECT_EQ(settings.shutdown, Shutdown());
  EXPECT_EQ(settings.workers, Settings().workers);
  EXPECT_EQ(settings.memory, Settings().memory);
}

// Each key with a value that is not its default lands in its own member, and nowhere else.
TEST(Load, EveryKeyChangesItsMember) {
  const Settings s = loaded(R"(
workers: 3
memory: 256MiB
listeners:
- name: one
  address: "[::1]:8443"
  tls: {certificates: [{certificate: a.crt, key: a.key}, {certificate: b.crt, key: b.key}], min_version: "1.3", client_ca: clients.pem, client_auth: optional, session_tickets: false}
  protocols: http/1.1
  public_origins: [https://API.example.com, "http://[::1]:8080/"]
  trusted_proxies: [10.0.0.0/8, fd00::/8, 192.0.2.7]
  proxy_protocol: true
  limits: {max_header_bytes: 32KiB, max_headers: 50, max_connections: 7, max_body: 2MiB}
  timeouts: {handshake: 1s, headers: 2s, body_idle: 3s, idle: 4s, stream_idle: 5s, tunnel: 6s}
- {name: two, address: 127.0.0.1:80, tls: false}
issuers:
- {name: first, url: https://id.example.com, audiences: any}
- name: second
  url: http://id.internal/x
  discovery_url: http://id.internal/d
  jwks_url: http://id.internal/j
  audiences: [a, b]
  algorithms: PS512
  token_type: at+jwt
  clock_skew: 1s
  allow_http: true
  ca: ca.pem
  jwks: {refresh: 1m, min_refetch_interval: 2s, max_stale: 3h}
  introspection: {mode: opaque, url: "http://id.internal/i", client_id: api, auth: private_key_jwt, key_file: client.pem, kid: k1, cache: 7s}
- {name: third, url: "https://id3.example.com", audiences: any, introspection: {mode: always, client_id: web, client_secret_file: client.secret}}
dpop:
  algorithms: [ES256]
  max_age: 30s
  clock_skew: 5s
  key_mismatch_status: 401
  nonce: {mode: required, lifetime: 1m, secret_file: nonce.key}
  replay: {capacity: 5000, per_key: 0.5%, cold_start: accept}
upstreams:
- {name: u1, servers: [http://127.0.0.1, "h2c://127.0.0.1", "h2c://[::1]:50051"]}
- name: u2
  servers: ["https://127.0.0.1", {url: "https://b", weight: 9}]
  balance: round_robin
  timeouts: {connect: 1s, response: 2s, body_idle: 3s, idle: 5s}
  max_connections: 8
  queue: 9
  retries: {max: 0}
  tls: {ca: up.pem, certificate: c.pem, key: k.pem, server_name: Name.example}
routes:
- name: r1
  match: {host: [A.example.com, "*.b.example"], path: [/v1, /v1/*/x], methods: [GET, M-SEARCH]}
  issuers: [second, first]
  require:
    scopes: [a, b]
    roles: {any: [x, "c:y"], all: z}
    claims:
      tenant: [a, "7", 7, -2.5, 1e3, true]
      https://example\.com/x.y: ${PLAN:-12}
      quoted: "${PLAN:-12}"
    acr: [gold, "urn:x:silver"]
    max_auth_age: 15m
  nonce: off
  upstream: u2
  strip_prefix: /v1
  resource: https://api.example.com/v1
  cors: {origins: [HTTPS://App.example.com:443/, "http://[::1]:3000"], credentials: true, max_age: 1h}
- {name: r2, match: {path: /2}, access: public, upstream: u1}
- {name: r3, match: {path: /3}, access: deny, cors: off}
- {name: r4, match: {path: /4}, issuers: first, upstream: u1}
- {name: r6, match: {path: /6}, access: public, upstream: u1, limits: {max_body: unlimited}}
- {name: r5, access: dpop_or_bearer, issuers: first, upstream: u1, enforce: false, timeouts: {body_idle: 1s, stream_idle: 2s, tunnel: 3s, response: 4s}, limits: {max_body: 4KiB}}
identity: {headers: {sub: X-Sub, client_id: X-Client, preferred_username: X-User, email: off, scope: X-Scope, roles: X-Roles, iss: X-Iss, jkt: X-Jkt}, client_certificate: X-Cert}
probes: off
cors: {origins: "*"}
log: {level: debug, access: denied}
shutdown: {delay: 1s, drain: 2s}
)");
  Settings e;
  e.file = "/etc/holdfast/holdfast.yaml";
  const std::filesystem::path at = "/etc/holdfast";
  e.workers = 3;
  e.memory = 256 * 1024 * 1024;
  e.listeners = {
      {"one",
       {"::1", 8443},
       ListenerTls{{{at / "a.crt", at / "a.key"}, {at / "b.crt", at / "b.key"}},
                   TlsVersion::kTls13,
                   at / "clients.pem",
                   ClientAuth::kOptional,
                   false},
       {Protocol::kHttp11},
       {{"https", "api.example.com", 443}, {"http", "::1", 8080}},
       {{"10.0.0.0", 8}, {"fd00::", 8}, {"192.0.2.7", 32}},
       true,
       {32 * 1024, 50, 7, 2 * 1024 * 1024},
       {seconds(1), seconds(2), seconds(3), seconds(4), seconds(5), seconds(6)}},
      {"two", {"127.0.0.1", 80}, std::nullopt, {Protocol::kHttp2, Protocol::kHttp11}, {}, {}, false, {}, {}}};
  Issuer first{.name = "first",
               .url = "https://id.example.com",
               .discovery_url = {},
               .jwks_url = {},
               .any_audience = true,
               .audiences = {},
               .ca = {},
               .jwks = {},
               .introspection = {}};
  Issuer second{"second",
                "http://id.internal/x",
                "http://id.internal/d",
                "http://id.internal/j",
                false,
                {"a", "b"},
                {"PS512"},
                TokenType::kAtJwt,
                seconds(1),
                true,
                at / "ca.pem",
                {seconds(60), seconds(2), seconds(3 * 3600)},
                {IntrospectionMode::kOpaque, "http://id.internal/i", "api",
                 ClientAuthentication::kPrivateKeyJwt, std::nullopt, at / "client.pem", "k1", seconds(7)}};
  Issuer third = first;
  third.name = "third";
  third.url = "https://id3.example.com";
  third.introspection.mode = IntrospectionMode::kAlways;
  third.introspection.client_id = "web";
  third.introspection.client_secret_file = at / "client.secret";
  e.issuers = {first, second, third};
  e.dpop = {{"ES256"},
            seconds(30),
            seconds(5),
            401,
            {NonceMode::kRequired, seconds(60), at / "nonce.key"},
            {5000, 0.005, ColdStart::kAccept}};
  Upstream u1;
  u1.name = "u1";
  u1.servers = {{{"http", "127.0.0.1", 80}, 1}, {{"h2c", "127.0.0.1", 80}, 1}, {{"h2c", "::1", 50051}, 1}};
  Upstream u2{"u2",
              {{{"https", "127.0.0.1", 443}, 1}, {{"https", "b", 443}, 9}},
              Balance::kRoundRobin,
              {seconds(1), seconds(2), seconds(3), seconds(5)},
              8,
              9,
              0,
              {at / "up.pem", at / "c.pem", at / "k.pem", "name.example"}};
  e.upstreams = {u1, u2};
  e.routes = {{"r1",
               {{"a.example.com", "*.b.example"}, {"/v1", "/v1/*/x"}, {"GET", "M-SEARCH"}},
               Access::kDpop,
               {1, 0},
               {{"a", "b"},
                {"x", "c:y"},
                {"z"},
                {{"tenant", {"a", "7", std::int64_t{7}, -2.5, 1000.0, true}},
                 {R"(https://example\.com/x.y)", {std::int64_t{12}}},
                 {"quoted", {"12"}}},
                {"gold", "urn:x:silver"},
                seconds(900)},
               NonceMode::kOff,
               1,
               "/v1",
               false,
               true,
               "https://api.example.com/v1"},
              {"r2", {{}, {"/2"}, {}}, Access::kPublic, {}, {}, NonceMode::kOff, 0, ""},
              {"r3", {{}, {"/3"}, {}}, Access::kDeny, {}, {}, NonceMode::kOff, std::nullopt, ""},
              {"r4", {{}, {"/4"}, {}}, Access::kDpop, {0}, {}, NonceMode::kRequired, 0, ""},
              {"r6", {{}, {"/6"}, {}}, Access::kPublic, {}, {}, NonceMode::kOff, 0, ""},
              {"r5", {}, Access::kDpopOrBearer, {0}, {}, NonceMode::kRequired, 0, "", false, false}};
  e.routes[4].limits.max_body = kUnlimited;
  e.routes[5].timeouts = {seconds(1), seconds(2), seconds(3), seconds(4)};
  e.routes[5].limits.max_body = 4096;
  const Cors everywhere{{"*"}, false, seconds(600)};
  for (Route& route : e.routes) route.cors = everywhere;
  e.routes[0].cors = Cors{{"https://app.example.com", "http://[::1]:3000"}, true, seconds(3600)};
  e.routes[2].cors = std::nullopt;
  e.cors = everywhere;
  e.identity_headers = {"X-Sub", "X-Client", "X-User", "", "X-Scope", "X-Roles", "X-Iss", "X-Jkt", "X-Cert"};
  e.probes = std::nullopt;
  e.log = {LogLevel::kDebug, AccessLog::kDenied};
  e.shutdown = {seconds(1), seconds(2)};
  EXPECT_EQ(s.listeners, e.listeners);
  EXPECT_EQ(s.issuers, e.issuers);
  EXPECT_EQ(s.dpop, e.dpop);
  EXPECT_EQ(s.upstreams, e.upstreams);
  EXPECT_EQ(s.routes, e.routes);
  EXPECT_EQ(s.identity_headers, e.identity_headers);
  EXPECT_TRUE(s == e);
}

TEST(Load, VariablesAreReplacedAfterParsing) {
  const World world =
      a_machine({{"URL", "https://id.example.com"}, {"AUD", "a: [b"}, {"PORT", "8000"}, {"N", "7"}});
  const Settings settings = loaded(
      "issuer: ${URL}/realms/${REALM:-demo}\naudience: ['${AUD}', 'x$${URL}', '$5']\nupstream: "
      "http://127.0.0.1:${PORT}\nworkers: '${N}'\n",
      world);
  EXPECT_EQ(settings.issuers.at(0).url, "https://id.example.com/realms/demo");
  EXPECT_EQ(settings.issuers.at(0).audiences, (std::vector<std::string>{"a: [b", "x${URL}", "$5"}));
  EXPECT_EQ(settings.upstreams.at(0).servers.at(0).origin.port, 8000);
  EXPECT_EQ(settings.workers, 7U);
}

// A secret that got into the wrong variable must not get into a log.
TEST(Load, ProblemsShowVariablesUnexpanded) {
  const Loaded out =
      load(std::string(kMinimal) + "workers: ${SECRET}\n", "f", a_machine({{"SECRET", "hunter2"}}));
  EXPECT_EQ(lines_of(out.errors),
            "4:10: workers: must be auto or a whole number from 1 to 1024, not \"${SECRET}\"\n");
}

TEST(Load, Warnings) {
  const Loaded out = load(R"(
listeners: [{name: a, address: ":1", tls: {certificate: open.crt, key: open.key, client_ca: here.pem}}]
issuer: https://id.example.com
audience: any
dpop: {nonce: {mode: required}}
upstreams:
- {name: used, servers: [http://127.0.0.1, http://10.0.0.1, "h2c://10.0.0.1"]}
- {name: idle, servers: http://localhost}
routes: [{name: r, upstream: used}]
identity: {client_certificate: X-Cert}
)",
                          "f", a_machine({{"HOLDFAST_REPLICAS", "2"}}));
  EXPECT_TRUE(out.settings);
  EXPECT_EQ(
      lines_of(out.warnings),
      "2:13: listeners[0].public_origins: is missing: whatever name the certificate holds counts for this "
      "listener; say what clients call it\n"
      "2:72: listeners[0].tls.key: can be read by every user of this machine: \"open.key\"\n"
      "2:93: listeners[0].tls.client_ca: has no effect, as client_auth is none\n"
      "5:7: dpop.replay.store: is memory beside HOLDFAST_REPLICAS=2: each replica would accept the "
      "same proof once\n"
      "5:15: dpop.nonce.secret_file: is missing: the nonce secret is this process's own, so a restart "
      "or another replica refuses nonces given out before\n"
      "7:44: upstreams[0].servers[1]: is plain http outside loopback: requests and identity headers "
      "can be read and changed on the way\n"
      "7:61: upstreams[0].servers[2]: is plain http outside loopback: requests and identity headers "
      "can be read and changed on the way\n"
      "8:3: upstreams[1]: no route uses this upstream\n"
      "10:32: identity.client_certificate: has no effect, as no listener has client_auth\n");
}

// One cause, one line: what comes of a value that was refused is not said.
TEST(Load, NothingIsSaidOfWhatARefusedValueCauses) {
  const auto said = [](const std::string& text, std::map<std::string, std::string, std::less<>> set = {}) {
    const Loaded out = load(text, "f", a_machine(std::move(set)));
    return lines_of(out.errors) + lines_of(out.warnings);
  };
  const std::string url = "must be an origin such as https://api.example.com or http://127.0.0.1:8000";
  EXPECT_EQ(said("listeners: [{name: a, address: ':1', tls: off, public_origins: [https://a]}]\n"
                 "issuer: https://i\naudience: a\nupstream: localhost:8000\n"),
            "4:11: upstream: " + url + ", not \"localhost:8000\"\n");
  EXPECT_EQ(said("listeners: [{name: a, address: ':1', tls: off, public_origins: [https://a]}]\n"
                 "issuer: id.example.com\naudience: a\nupstream: http://127.0.0.1\n"),
            "2:9: issuer: must be an absolute http or https URL without userinfo, query and fragment, not "
            "\"id.example.com\"\n");
  EXPECT_EQ(said("listeners: [{name: a, address: ':1', public_origins: [https://a], tls: {certificate: "
                 "\"${NO}/a\", key: \"${NO}/b\"}}]\n"
                 "issuer: https://i\naudience: a\nupstream: http://127.0.0.1\n"),
            "1:86: listeners[0].tls.certificate: the environment variable NO is not set\n"
            "1:102: listeners[0].tls.key: the environment variable NO is not set\n");
  EXPECT_EQ(
      said("listeners: [{name: a, address: ':1', tls: off, public_origins: [https://a]}]\n"
           "issuer: http://id.example.com\naudience: a\nupstream: http://127.0.0.1\n"),
      "2:9: issuer: is plain http outside loopback, so anyone on the way could replace the issuer's keys; "
      "use https, or write it under issuers, with allow_http: true\n");
  EXPECT_EQ(said("listeners: [{name: a, address: ':1', tls: on}]\n"
                 "issuer: https://i\naudience: a\nupstream: http://127.0.0.1\n"),
            "1:43: listeners[0].tls: must be a map or off, not \"on\"\n");
  EXPECT_EQ(said("listeners: [{name: a, address: ':1', tls: off, public_origins: [https://a]}]\n"
                 "issuer: https://i\naudience: a\nupstreams: [{name: orders, servers: http://127.0.0.1}]\n"
                 "routes: [{name: r, upstream: order}]\n"),
            "5:30: routes[0].upstream: no upstream is named \"order\"; did you mean \"orders\"?\n");
}

TEST(Load, ReplicasThatCannotBeCounted) {
  const auto warned = [](const char* replicas) {
    return lines_of(load("listeners: [{name: a, address: ':1', tls: off, public_origins: [https://a]}]\n"
                         "issuer: https://i\naudience: a\nupstream: http://127.0.0.1\n",
                         "f", a_machine({{"HOLDFAST_REPLICAS", replicas}}))
                        .warnings);
  };
  EXPECT_EQ(warned("1"), "");
  for (const char* odd : {"three", "3x", "", "-1", "99999999999"}) {
    EXPECT_EQ(warned(odd),
              "1:1: dpop.replay.store: is memory, and HOLDFAST_REPLICAS does not say how many replicas there "
              "are: it is no whole number\n")
        << odd;
  }
}

TEST(Load, TheAddressOfMetadataIsNoIssuer) {
  EXPECT_EQ(lines_of(load("listeners: [{name: a, address: ':1', tls: off}]\n"
                          "issuer: https://i/realms/a/.well-known/openid-configuration\naudience: a\n"
                          "upstream: http://127.0.0.1\n",
                          "f", a_machine())
                         .errors),
            "2:9: issuer: is the address of metadata; write the issuer, as that names it\n");
}

// They would be believed, and take nothing.
TEST(Load, WildcardsOfOtherPrograms) {
  const auto warned = [](std::string_view match) {
    const Loaded out = load(
        "listeners: [{name: a, address: ':1', tls: off, public_origins: [https://a]}]\n"
        "issuer: https://i\naudience: a\nupstream: http://127.0.0.1\nroutes: [{name: r, match: {" +
            std::string(match) + "}}]\n",
        "f", a_machine());
    EXPECT_EQ(lines_of(out.errors), "");
    return lines_of(out.warnings);
  };
  const auto path = [](std::string_view segment) {
    return "5:34: routes[0].match.path: takes the segment " + std::string(segment) +
           " as it is written; * is one segment, whatever it is\n";
  };
  EXPECT_EQ(warned("path: '/orders/{id}'"), path("{id}"));
  EXPECT_EQ(warned("path: '/orders/{id}/lines/{line}'"), path("{id}"));
  EXPECT_EQ(warned("path: '/orders/:id/lines'"), path(":id"));
  EXPECT_EQ(warned("path: ['/v1/orders:cancel', '/:', '/{', '/a{b}', '/*/**']"), "");
  const std::string method = ": is one method of that name; leave methods out to take every one\n";
  EXPECT_EQ(warned("methods: '*'"), "5:37: routes[0].match.methods" + method);
  EXPECT_EQ(warned("methods: [GET, ANY, ALL]"),
            "5:43: routes[0].match.methods[1]" + method + "5:48: routes[0].match.methods[2]" + method);
}

TEST(Load, AResourceThatNobodyCanAskAbout) {
  const auto warnings = [](std::string_view origins) {
    return lines_of(load("listeners:\n- {name: a, address: ':1', tls: off, public_origins: [" +
                             std::string(origins) +
                             "]}\nissuer: https://id.example.com\naudience: any\nupstream: http://127.0.0.1\n"
                             "routes: [{name: r, resource: https://b/v1}]\n",
                         "f", a_machine())
                        .warnings);
  };
  EXPECT_EQ(warnings("https://a, https://b"), "");
  EXPECT_EQ(warnings("https://a"),
            "6:30: routes[0].resource: is at none of the public_origins, so nobody can ask about it here\n");
}

TEST(Load, AHostThatNoListenerAnswersFor) {
  const auto warned = [](std::string_view listener, std::string_view host, std::string_view rest = "") {
    const Loaded out =
        load("listeners:\n- {name: a, address: '127.0.0.1:1', " + std::string(listener) +
                 "}\nissuer: https://id.example.com\naudience: any\nupstream: http://127.0.0.1\n"
                 "routes: [{name: r, match: {host: " +
                 std::string(host) + '}' + std::string(rest) + "}]\n",
             "f", a_machine());
    return out.warnings.size() == 1 && lines_of(out.warnings).contains("is a host that no listener answers");
  };
  const std::string_view one = "tls: off, public_origins: [https://a.example.com]";
  const std::string_view two = "tls: off, public_origins: [https://a.example.com, 'https://[::1]']";
  const std::string_view proxied =
      "tls: off, public_origins: [https://a.example.com], trusted_proxies: [10.0.0.0/8]";
  const std::string_view with_tls = "tls: {certificate: here.pem, key: leaf-key.pem}";
  for (const std::string_view host : {"a.example.com", "A.example.com", "'*.example.com'"}) {
    EXPECT_FALSE(warned(one, host)) << host;
    EXPECT_TRUE(warned("tls: off", host)) << host;
    EXPECT_FALSE(warned(with_tls, host)) << host;
  }
  for (const std::string_view host : {"b.example.com", "example.com", "'*.a.example.com'", "localhost"}) {
    EXPECT_TRUE(warned(one, host)) << host;
    EXPECT_TRUE(warned(two, host)) << host;
    EXPECT_TRUE(warned(proxied, host)) << host;
    EXPECT_TRUE(warned(one, host, ", access: public")) << host << ": every request is for a.example.com";
    EXPECT_FALSE(warned(two, host, ", access: public")) << host;
    EXPECT_FALSE(warned(proxied, host, ", access: public")) << host;
  }
  EXPECT_FALSE(warned(two, "'[::1]'"));
  EXPECT_TRUE(warned(one, "'[::1]'"));
  EXPECT_FALSE(warned("tls: off", "[localhost, 127.0.0.1, '[::1]']"));
  EXPECT_EQ(lines_of(load("listeners:\n- {name: a, address: ':1', tls: off, public_origins: [https://a]}\n"
                          "issuer: https://id.example.com\naudience: any\nupstream: http://127.0.0.1\n"
                          "routes: [{name: r, match: {host: [a, b]}}]\n",
                          "f", a_machine())
                         .warnings),
            "6:38: routes[0].match.host[1]: is a host that no listener answers for, so no request for it is "
            "let in: name it in public_origins (without them, plain listeners answer for loopback alone)\n");
}

TEST(Load, SeveralIssuersAndARouteThatNamesNone) {
  const std::string text =
      "listeners: [{name: a, address: ':1', tls: off}]\nupstream: http://127.0.0.1\nissuers:\n"
      "- {name: a, url: https://a, audiences: any}\n- {name: b, url: https://b, audiences: any}\nroutes:\n- "
      "{name: r}\n";
  EXPECT_EQ(lines_of(load(text, "f", a_machine()).errors),
            "7:3: routes[0].issuers: is required, as several issuers are configured\n");
  EXPECT_EQ(lines_of(load("listeners: [{name: a, address: ':1', tls: off}]\nupstream: "
                          "http://127.0.0.1\nroutes:\n- {name: r}\n",
                          "f", a_machine())
                         .errors),
            "4:3: routes[0].issuers: the route asks for a token, and no issuer is configured\n");
}

TEST(Load, ARouteNamesOneIssuerWithIntrospection) {
  const auto errors = [](std::string_view first, std::string_view second) {
    const auto issuer = [](std::string_view mode) {
      return "audiences: any, introspection: {mode: " + std::string(mode) +
             ", client_id: api, client_secret_file: client.secret}}\n";
    };
    return lines_of(
        load("listeners: [{name: a, address: ':1', tls: off}]\nupstream: http://127.0.0.1\nissuers:\n"
             "- {name: a, url: https://a, " +
                 issuer(first) + "- {name: b, url: https://b, " + issuer(second) +
                 "- {name: c, url: https://c, audiences: any}\nroutes:\n"
                 "- {name: r, match: {path: /r}, issuers: [a, c]}\n- {name: s, issuers: [c, b, a]}\n",
             "f", a_machine())
            .errors);
  };
  EXPECT_EQ(errors("opaque", "off"), "");
  EXPECT_EQ(errors("off", "always"), "");
  EXPECT_EQ(
      errors("opaque", "always"),
      "9:22: routes[1].issuers: names two issuers with introspection, b and a: one would be asked about "
      "the other's tokens\n");
}

TEST(Load, ProblemsAreBounded) {
  std::string text;
  for (int i = 0; i < 10'000; ++i) text += "key" + std::to_string(i) + ": 1\n";
  const Loaded out = load(text, "f", a_machine());
  EXPECT_EQ(out.errors.size(), kMaxProblems + 1);
}

}  // namespace
}  // namespace holdfast::settings
