#include "settings/check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/ascii.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "policy/route_table.h"
#include "settings/words.h"
#include "token/introspection_request.h"

namespace holdfast::settings {
namespace {

std::string item(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + ']';
}

// Names are labels in logs and metrics, and what routes refer to. A broken one is empty here, and was
// reported.
template <class T>
void check_names(const std::vector<T>& all, std::string_view list, Report& report) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].name.empty()) continue;
    const auto [first, fresh] = seen.emplace(all[i].name, i);
    if (!fresh)
      report.error_at(item(list, i) + ".name", "is the name of " + item(list, first->second) + " already");
  }
}

template <class T>
void check_unique(const std::vector<T>& values, const std::string& path, Report& report) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == T()) continue;
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) !=
        values.begin() + static_cast<std::ptrdiff_t>(i)) {
      report.error_at(item(path, i), "stands in the list already");
    }
  }
}

// ---- listeners

void check_listeners(const Settings& settings, Report& report) {
  const auto& all = settings.listeners;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string path = item("listeners", i);
    const Listener& listener = all[i];
    // SO_REUSEPORT would let both bind, and the kernel would choose between them for each connection
    for (std::size_t j = 0; j < i; ++j) {
      if (listener.address.port != 0 && all[j].address == listener.address) {
        report.error_at(path + ".address", "is the address of " + item("listeners", j) + " already");
        break;
      }
    }
    if (settings.probes && listener.address.port != 0 && *settings.probes == listener.address) {
      report.error_at(path + ".address", "is the address of probes already");
    }
    if (settings.admin && !settings.admin->socket && listener.address.port != 0 &&
        settings.admin->address == listener.address) {
      report.error_at(path + ".address", "is the address of admin already");
    }
    check_unique(listener.public_origins, path + ".public_origins", report);
    check_unique(listener.trusted_proxies, path + ".trusted_proxies", report);
    // what a proxy forwards takes the listener's place in `htu`, so it has to be held to a list
    if (!listener.trusted_proxies.empty() && listener.public_origins.empty()) {
      report.error_at(path + ".trusted_proxies", "needs public_origins");
    }
    // whoever may send the header chooses what client it is
    if (listener.proxy_protocol && listener.trusted_proxies.empty() &&
        !report.refused(path + ".trusted_proxies")) {
      report.error_at(path + ".proxy_protocol", "needs trusted_proxies");
    }
    if (listener.tls && listener.tls->client_auth != ClientAuth::kNone && !listener.tls->client_ca &&
        !report.refused(path + ".tls.client_ca")) {
      report.error_at(path + ".tls.client_ca", "is required where client_auth is not none");
    }
    if (listener.tls && listener.tls->client_auth == ClientAuth::kNone && listener.tls->client_ca &&
        !report.refused(path + ".tls.client_auth")) {
      report.warning_at(path + ".tls.client_ca", "has no effect, as client_auth is none");
    }
  }
}

// ---- admin

void check_admin(const Settings& settings, Report& report) {
  if (!settings.admin || settings.admin->socket) return;
  const Address& address = settings.admin->address;
  if (settings.probes && address.port != 0 && *settings.probes == address) {
    report.error_at("admin.address", "is the address of probes already");
  }
  if (!is_loopback(address.host)) {
    report.warning_at("admin.address",
                      "can be reached from outside this machine, in plain HTTP: whoever is on the way can "
                      "read the token");
  }
}

// ---- issuers

void check_reachable_safely(const Issuer& issuer, const std::string& url, const std::string& path,
                            Report& report, std::string_view risk = "replace the issuer's keys") {
  const auto origin = parse_url(url);
  if (issuer.allow_http || !origin || origin->scheme != "http" || is_loopback(origin->host)) return;
  report.error_at(path, "is plain http outside loopback, so anyone on the way could " + std::string(risk) +
                            "; use https, or set allow_http: true");
}

void check_introspection(const Issuer& issuer, const std::string& path, Report& report) {
  const Introspection& introspection = issuer.introspection;
  if (introspection.mode == IntrospectionMode::kOff) return;
  if (introspection.url) {
    check_reachable_safely(issuer, *introspection.url, path + ".url", report,
                           "read tokens and call any of them active");
  }
  if (introspection.client_id.empty() && !report.refused(path + ".client_id"))
    report.error_at(path + ".client_id", "is required where mode is not off");
  if (report.refused(path + ".auth")) return;
  const bool by_key = introspection.auth == ClientAuthentication::kPrivateKeyJwt;
  const std::string auth = by_key ? "private_key_jwt" : "client_secret_basic";
  const auto demand = [&](bool there, const std::string& key) {
    if (!there && !report.refused(path + key))
      report.error_at(path + key, "is required where auth is " + auth);
  };
  const auto refuse_idle = [&](bool there, const std::string& key) {
    if (there) report.error_at(path + key, "has no effect where auth is " + auth);
  };
  if (by_key) {
    demand(introspection.key_file.has_value(), ".key_file");
    refuse_idle(introspection.client_secret_file.has_value(), ".client_secret_file");
  } else {
    demand(introspection.client_secret_file.has_value(), ".client_secret_file");
    refuse_idle(introspection.key_file.has_value(), ".key_file");
    refuse_idle(!introspection.kid.empty(), ".kid");
  }
}

void check_issuers(const Settings& settings, Report& report) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) {
    const Issuer& issuer = settings.issuers[i];
    const std::string path = item("issuers", i);
    if (!issuer.url.empty()) {
      const auto [first, fresh] = seen.emplace(issuer.url, i);
      if (!fresh)
        report.error_at(path + ".url", "is the url of " + item("issuers", first->second) + " already");
    }
    if (issuer.discovery_url)
      check_reachable_safely(issuer, *issuer.discovery_url, path + ".discovery_url", report);
    if (issuer.jwks_url) check_reachable_safely(issuer, *issuer.jwks_url, path + ".jwks_url", report);
    // the `iss` itself is fetched from only where nothing else is named
    const bool asks_discovery = !issuer.jwks_url || (issuer.introspection.mode != IntrospectionMode::kOff &&
                                                     !issuer.introspection.url);
    if (!issuer.discovery_url && asks_discovery)
      check_reachable_safely(issuer, issuer.url, path + ".url", report);
    check_introspection(issuer, path + ".introspection", report);
    check_unique(issuer.audiences, path + ".audiences", report);
    check_unique(issuer.algorithms, path + ".algorithms", report);
    if (issuer.jwks.max_stale < issuer.jwks.refresh) {
      report.error_at(path + ".jwks.max_stale",
                      "must not be shorter than refresh, or keys would expire between two refreshes");
    }
  }
}

// ---- upstreams

void check_upstreams(const Settings& settings, Report& report) {
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    const Upstream& upstream = settings.upstreams[i];
    const std::string path = item("upstreams", i);
    bool any_https = false;
    for (std::size_t j = 0; j < upstream.servers.size(); ++j) {
      const Origin& origin = upstream.servers[j].origin;
      any_https = any_https || origin.scheme == "https";
      if (origin.scheme != "https" && !is_loopback(origin.host)) {
        report.warning_at(item(path + ".servers", j),
                          "is plain http outside loopback: requests and identity headers can be read and "
                          "changed on the way");
      }
    }
    const UpstreamTls& tls = upstream.tls;
    if (tls.certificate && !tls.key) report.error_at(path + ".tls.key", "is required beside certificate");
    if (tls.key && !tls.certificate) report.error_at(path + ".tls.certificate", "is required beside key");
    if ((tls.ca || tls.certificate || tls.server_name) && !any_https && !report.refused(path + ".servers")) {
      report.error_at(path + ".tls", "has no effect, as no server is https");
    }
    const bool used = std::any_of(settings.routes.begin(), settings.routes.end(),
                                  [&](const Route& route) { return route.upstream == i; });
    if (!used) report.warning_at(path, "no route uses this upstream");
  }
}

// ---- routes

void check_strip_prefix(const Route& route, const std::string& path, Report& report) {
  if (route.strip_prefix.empty()) return;
  if (route.strip_prefix.ends_with('/') || route.strip_prefix.contains('*')) {
    report.error_at(path, "must be whole segments without a / at the end and without wildcards, such as /v1");
    return;
  }
  if (route.match.paths.empty()) {
    report.error_at(path, "needs match.path patterns that start with it");
    return;
  }
  for (const std::string& pattern : route.match.paths) {
    if (pattern.empty() || policy::pattern_starts_with(pattern, route.strip_prefix)) continue;
    report.error_at(path, "is not a prefix of the path pattern \"" + pattern + '"');
    return;
  }
}

// A token that is asked about is shown to the issuer. Were there two, one would be shown the other's.
void check_one_introspects(const Settings& settings, const Route& route, const std::string& path,
                           Report& report) {
  const Issuer* first = nullptr;
  for (const std::size_t index : route.issuers) {
    const Issuer& issuer = settings.issuers[index];
    if (issuer.introspection.mode == IntrospectionMode::kOff) continue;
    if (first != nullptr) {
      report.error_at(path, "names two issuers with introspection, " + first->name + " and " + issuer.name +
                                ": one would be asked about the other's tokens");
      return;
    }
    first = &issuer;
  }
}

void check_routes(const Settings& settings, Report& report) {
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    const Route& route = settings.routes[i];
    const std::string path = item("routes", i);
    check_unique(route.match.hosts, path + ".match.host", report);
    check_unique(route.match.paths, path + ".match.path", report);
    check_unique(route.match.methods, path + ".match.methods", report);
    check_unique(route.require.scopes, path + ".require.scopes", report);
    check_unique(route.require.acr, path + ".require.acr", report);
    check_strip_prefix(route, path + ".strip_prefix", report);
    check_one_introspects(settings, route, path + ".issuers", report);
  }
}

// ---- identity

// What a backend reads framing, routing or credentials from, and what this proxy sets itself.
bool is_reserved(std::string_view header) {
  static constexpr std::array kReserved{"authorization",
                                        "connection",
                                        "content-encoding",
                                        "content-length",
                                        "content-type",
                                        "cookie",
                                        "date",
                                        "dpop",
                                        "expect",
                                        "forwarded",
                                        "host",
                                        "keep-alive",
                                        "te",
                                        "trailer",
                                        "transfer-encoding",
                                        "upgrade",
                                        "via",
                                        "x-request-id",
                                        "traceparent",
                                        "tracestate",
                                        "http2-settings",
                                        "x-real-ip"};
  const std::string name = to_lower(header);
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() ||
         name.starts_with("proxy-") || name.starts_with("x-forwarded-");
}

void check_identity(const Settings& settings, Report& report) {
  const IdentityHeaders& headers = settings.identity_headers;
  static const std::string kNone;
  const std::string& assertion = settings.assertion ? settings.assertion->header : kNone;
  const std::array<std::pair<std::string_view, const std::string*>, 10> all{{
      {"headers.sub", &headers.sub},
      {"headers.client_id", &headers.client_id},
      {"headers.preferred_username", &headers.preferred_username},
      {"headers.email", &headers.email},
      {"headers.scope", &headers.scope},
      {"headers.roles", &headers.roles},
      {"headers.iss", &headers.iss},
      {"headers.jkt", &headers.jkt},
      {"client_certificate", &headers.client_certificate},
      {"assertion.header", &assertion},
  }};
  // backends take X_Auth-Subject and X-Auth-Subject for one name (CGI's HTTP_X_AUTH_SUBJECT)
  std::unordered_map<std::string, std::string_view> seen;
  for (const auto& [claim, header] : all) {
    if (header->empty()) continue;
    const std::string path = "identity." + std::string(claim);
    if (is_reserved(*header)) report.error_at(path, "is a header with a meaning of its own; choose another");
    std::string folded = to_lower(*header);
    for (char& c : folded) c = is_alpha(c) || is_digit(c) ? c : '-';
    const auto [first, fresh] = seen.emplace(folded, claim);
    if (!fresh) {
      const std::string_view other =
          first->second.starts_with("headers.") ? first->second.substr(8) : first->second;
      report.error_at(path, "is the header of " + std::string(other) + " already");
    }
  }
  const bool asks = std::any_of(
      settings.listeners.begin(), settings.listeners.end(),
      [](const Listener& each) { return each.tls && each.tls->client_auth != ClientAuth::kNone; });
  if (!headers.client_certificate.empty() && !asks && !report.refused("listeners")) {
    report.warning_at("identity.client_certificate", "has no effect, as no listener has client_auth");
  }
}

// ---- dpop

void check_dpop(const Settings& settings, const World& world, Report& report) {
  check_unique(settings.dpop.algorithms, "dpop.algorithms", report);
  const bool nonces = settings.dpop.nonce.mode == NonceMode::kRequired ||
                      std::any_of(settings.routes.begin(), settings.routes.end(),
                                  [](const Route& route) { return route.nonce == NonceMode::kRequired; });
  if (nonces && !settings.dpop.nonce.secret_file) {
    report.warning_at("dpop.nonce.secret_file",
                      "is missing: the nonce secret is this process's own, so a restart or another replica "
                      "refuses nonces given out before");
  }
  // whoever deploys several says so here; nothing else in a process's sight counts them
  const std::string replicas = world.environment("HOLDFAST_REPLICAS").value_or("1");
  unsigned count = 0;
  const auto parsed = std::from_chars(replicas.data(), replicas.data() + replicas.size(), count);
  if (parsed.ec == std::errc() && count > 1) {
    report.warning_at("dpop.replay.store", "is memory beside HOLDFAST_REPLICAS=" + std::to_string(count) +
                                               ": each replica would accept the same proof once");
  }
}

// ---- files

struct Settling {
  const std::filesystem::path folder;
  const World& world;
  Report& report;

  void file(std::filesystem::path& path, const std::string& place, bool secret) {
    if (path.empty()) return;  // was refused before
    const std::string named = path.string();
    path = (folder / path).lexically_normal();
    switch (world.file(path)) {
      case FileState::kMissing:
        report.error_at(place, "no such file: " + shown(place, named));
        break;
      case FileState::kUnreadable:
        report.error_at(place, "cannot be read: " + shown(place, named));
        break;
      case FileState::kReadableByOthers:
        if (secret)
          report.warning_at(place, "can be read by every user of this machine: " + shown(place, named));
        break;
      case FileState::kPrivate:
        break;
    }
  }
  // `flaw_of` says of the file's text what is wrong with it, without quoting it; empty: nothing.
  template <class FlawOf>
  void contents(std::filesystem::path& path, const std::string& place, bool secret, FlawOf flaw_of) {
    if (path.empty()) return;
    const std::string named = path.string();
    file(path, place, secret);
    if (const FileState state = world.file(path);
        state == FileState::kMissing || state == FileState::kUnreadable)
      return;
    const Secret text(world.contents(path).value_or(""));
    if (const std::string flaw = flaw_of(text.reveal()); !flaw.empty())
      report.error_at(place, flaw + ": " + shown(place, named));
  }
  // A private key on P-256, as ES256 needs it (RFC 7518 3.4).
  void signing_key(std::filesystem::path& path, const std::string& place) {
    contents(path, place, true, [](std::string_view text) -> std::string {
      const auto key = crypto::PrivateKey::from_pem(text);
      if (!key) return "holds " + key.error();
      if (key->public_key().type() == crypto::KeyType::kP256) return "";
      return "holds a key that does not fit ES256; `holdfast keygen` makes one";
    });
  }
  // A private key of any type that signs.
  void private_key(std::filesystem::path& path, const std::string& place) {
    contents(path, place, true, [](std::string_view text) -> std::string {
      const auto key = crypto::PrivateKey::from_pem(text);
      return key ? "" : "holds " + key.error();
    });
  }
  void client_secret(std::filesystem::path& path, const std::string& place) {
    contents(path, place, true, [](std::string_view text) -> std::string {
      const auto secret = token::client_secret_of(text);
      return secret ? "" : secret.error();
    });
  }
  // A file of certificates, of which one at least may sign others.
  void authorities(std::filesystem::path& path, const std::string& place) {
    contents(path, place, false, [](std::string_view text) -> std::string {
      const auto bundle = crypto::read_bundle(text);
      return bundle && bundle->authorities > 0 ? "" : "holds no CA certificate in PEM";
    });
  }
  void file(std::optional<std::filesystem::path>& path, const std::string& place, bool secret) {
    if (path) file(*path, place, secret);
  }
  // as the file writes it, or the default that the file does not write
  [[nodiscard]] std::string shown(const std::string& place, const std::string& named) const {
    const std::string written = report.shown(place);
    return written == "the default"
               ? '"' + named + "\" beside this file, the default where there are no listeners"
               : written;
  }
};

}  // namespace

void settle_files(Settings& settings, const World& world, Report& report) {
  Settling settle{settings.file.parent_path(), world, report};
  for (std::size_t i = 0; i < settings.listeners.size(); ++i) {
    if (!settings.listeners[i].tls) continue;
    auto& pairs = settings.listeners[i].tls->certificates;
    for (std::size_t j = 0; j < pairs.size(); ++j) {
      const std::string path = item(item("listeners", i) + ".tls.certificates", j);
      settle.file(pairs[j].certificate, path + ".certificate", false);
      settle.file(pairs[j].key, path + ".key", true);
    }
    if (auto& authorities = settings.listeners[i].tls->client_ca)
      settle.authorities(*authorities, item("listeners", i) + ".tls.client_ca");
  }
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) {
    Issuer& issuer = settings.issuers[i];
    const std::string path = item("issuers", i);
    settle.file(issuer.ca, path + ".ca", false);
    if (auto& secret = issuer.introspection.client_secret_file)
      settle.client_secret(*secret, path + ".introspection.client_secret_file");
    if (auto& key = issuer.introspection.key_file) settle.private_key(*key, path + ".introspection.key_file");
  }
  if (settings.admin) {
    settle.file(settings.admin->token_file, "admin.token_file", true);
    if (settings.admin->socket)
      *settings.admin->socket = (settle.folder / *settings.admin->socket).lexically_normal();
  }
  settle.file(settings.dpop.nonce.secret_file, "dpop.nonce.secret_file", true);
  if (settings.assertion) {
    settle.signing_key(settings.assertion->key, "identity.assertion.key");
    if (settings.assertion->previous_key)
      settle.signing_key(*settings.assertion->previous_key, "identity.assertion.previous_key");
  }
  for (std::size_t i = 0; i < settings.upstreams.size(); ++i) {
    UpstreamTls& tls = settings.upstreams[i].tls;
    const std::string path = item("upstreams", i) + ".tls";
    settle.file(tls.ca, path + ".ca", false);
    settle.file(tls.certificate, path + ".certificate", false);
    settle.file(tls.key, path + ".key", true);
  }
}

void check(const Settings& settings, const World& world, Report& report) {
  check_names(settings.listeners, "listeners", report);
  check_names(settings.issuers, "issuers", report);
  check_names(settings.upstreams, "upstreams", report);
  check_names(settings.routes, "routes", report);
  check_listeners(settings, report);
  check_admin(settings, report);
  check_issuers(settings, report);
  check_dpop(settings, world, report);
  check_upstreams(settings, report);
  check_routes(settings, report);
  check_identity(settings, report);
}

}  // namespace holdfast::settings
