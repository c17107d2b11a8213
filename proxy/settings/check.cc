#include "settings/check.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/ascii.h"
#include "base/secret.h"
#include "crypto/certificate.h"
#include "crypto/private_key.h"
#include "http/target_uri.h"
#include "policy/route_table.h"
#include "settings/check_coverage.h"
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
  std::set<T> seen;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (values[i] == T()) continue;
    if (!seen.insert(values[i]).second) report.error_at(item(path, i), "stands in the list already");
  }
}

// ---- listeners

// Without the list it is the certificate that says what a proof's htu may name.
void check_public_origins(const Listener& listener, const std::string& path, Report& report) {
  if (!listener.public_origins.empty() || is_loopback(listener.address.host) || !report.written(path)) return;
  report.warning_at(path + ".public_origins",
                    listener.tls
                        ? "is missing: whatever name the certificate holds counts for this listener; "
                          "say what clients call it"
                        : "is missing: without TLS only names of loopback count then, and a request to "
                          "a protected route by any other name is refused (origin_unknown)");
}

void check_listeners(const Settings& settings, Report& report) {
  const bool protects = std::any_of(settings.routes.begin(), settings.routes.end(),
                                    [](const Route& route) { return asks_for_token(route.access); });
  const auto& all = settings.listeners;
  std::map<Address, std::size_t> seen;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string path = item("listeners", i);
    const Listener& listener = all[i];
    // SO_REUSEPORT would let both bind, and the kernel would choose between them for each connection
    if (const auto [first, fresh] = seen.emplace(listener.address, i); !fresh && listener.address.port != 0) {
      report.error_at(path + ".address",
                      "is the address of " + item("listeners", first->second) + " already");
    }
    if (settings.probes && listener.address.port != 0 && *settings.probes == listener.address) {
      report.error_at(path + ".address", "is the address of probes already");
    }
    if (settings.admin && !settings.admin->socket && listener.address.port != 0 &&
        settings.admin->address == listener.address) {
      report.error_at(path + ".address", "is the address of admin already");
    }
    if (protects) check_public_origins(listener, path, report);
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
  std::vector<bool> used(settings.upstreams.size());
  for (const Route& route : settings.routes) {
    if (route.upstream) used[*route.upstream] = true;
  }
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
    if (!used[i]) report.warning_at(path, "no route uses this upstream");
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

// Clients compare these texts byte for byte, so each resource has one only; `names` has those so far.
void check_resource(const Settings& settings, const std::string& resource, const std::string& path,
                    std::map<std::string, std::string>& names, Report& report) {
  const auto normal = http::normalize_absolute_uri(resource);
  if (!normal) return report.error_at(path, "must have a path that a request can have");
  if (*normal != resource && *normal != resource + '/')
    return report.error_at(path, "must be written in its normal form, " + *normal);
  if (const auto& name = names.emplace(*normal, resource).first->second; name != resource)
    return report.error_at(path, "is called " + name + " by another route; a resource has one name");
  const auto origin = parse_url(resource);
  const auto lacks = [&origin](const Listener& listener) {
    const auto& origins = listener.public_origins;
    return !origins.empty() && std::ranges::find(origins, *origin) == origins.end();
  };
  if (std::ranges::all_of(settings.listeners, lacks))
    report.warning_at(path, "is at none of the public_origins, so nobody can ask about it here");
}

void check_cors(const std::optional<Cors>& cors, const std::string& path, Report& report) {
  if (!cors) return;
  check_unique(cors->origins, path + ".origins", report);
  const bool any = std::ranges::find(cors->origins, kAnyOrigin) != cors->origins.end();
  if (any && cors->origins.size() > 1) report.error_at(path + ".origins", "holds *, which stands alone");
  // Fetch 3.3.5: a browser takes * for no one then, and reflecting each origin would let every page act as
  // whoever looks at it.
  if (any && cors->credentials) report.error_at(path + ".credentials", "cannot stand beside origins: *");
}

void check_routes(const Settings& settings, Report& report) {
  check_cors(settings.cors, "cors", report);
  std::map<std::string, std::string> resources;
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
    if (route.cors != settings.cors) check_cors(route.cors, path + ".cors", report);
    if (route.resource) check_resource(settings, *route.resource, path + ".resource", resources, report);
    if (!route.enforce) {
      report.warning_at(path + ".enforce",
                        "is false: what would be refused is logged and counted, and passes");
    }
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

std::string day_and_time(std::chrono::sys_seconds time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

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
      case FileState::kNotLookedAt:
        break;
    }
  }
  // `flaw_of` says of the file's text what is wrong with it, without quoting it; empty: nothing.
  template <class FlawOf>
  void contents(std::filesystem::path& path, const std::string& place, bool secret, FlawOf flaw_of) {
    if (path.empty()) return;
    const std::string named = path.string();
    file(path, place, secret);
    if (!readable(path)) return;
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
  // A file of certificates, of which one at least may sign others where `signing`.
  void authorities(std::filesystem::path& path, const std::string& place, bool signing) {
    contents(path, place, false, [signing](std::string_view text) -> std::string {
      const auto bundle = crypto::read_bundle(text);
      if (bundle && (signing ? bundle->authorities : bundle->certificates) > 0) return "";
      return "holds no " + std::string(signing ? "CA " : "") + "certificate in PEM";
    });
  }
  // What a server or a client shows, and the key that proves it its own.
  void pair(std::filesystem::path& certificate, std::filesystem::path& key, const std::string& path) {
    const std::string named_certificate = certificate.string();
    const std::string named_key = key.string();
    file(certificate, path + ".certificate", false);
    file(key, path + ".key", true);
    std::string chain;
    if (!certificate.empty() && readable(certificate)) {
      chain = world.contents(certificate).value_or("");
      const auto validity = crypto::validity_of_chain(chain);
      if (!validity) chain.clear();
      check_validity(validity, path + ".certificate", named_certificate);
    }
    if (key.empty() || !readable(key)) return;
    const Secret text(world.contents(key).value_or(""));
    switch (crypto::fit_of_key(text.reveal(), chain)) {
      case crypto::KeyFit::kNoKey:
        return report.error_at(path + ".key", "holds no unencrypted private key in PEM form: " +
                                                  shown(path + ".key", named_key));
      case crypto::KeyFit::kOfAnother:
        if (!chain.empty()) {
          report.error_at(path + ".key", "is not the key of the certificate in " +
                                             shown(path + ".certificate", named_certificate) + ": " +
                                             shown(path + ".key", named_key));
        }
        return;
      case crypto::KeyFit::kFits:
        return;
    }
  }
  void check_validity(const std::optional<crypto::Validity>& validity, const std::string& place,
                      const std::string& named) {
    const std::string file = ": " + shown(place, named);
    if (!validity) {
      report.error_at(place, "holds no certificate chain in PEM" + file);
    } else if (world.now && *world.now >= validity->until) {
      report.error_at(place, "expired on " + day_and_time(validity->until) + file);
    } else if (world.now && *world.now < validity->from) {
      report.error_at(place, "is not valid before " + day_and_time(validity->from) + file);
    }
  }
  [[nodiscard]] bool readable(const std::filesystem::path& path) const {
    const FileState state = world.file(path);
    return state == FileState::kPrivate || state == FileState::kReadableByOthers;
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
      settle.pair(pairs[j].certificate, pairs[j].key, item(item("listeners", i) + ".tls.certificates", j));
    }
    if (auto& authorities = settings.listeners[i].tls->client_ca)
      settle.authorities(*authorities, item("listeners", i) + ".tls.client_ca", true);
  }
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) {
    Issuer& issuer = settings.issuers[i];
    const std::string path = item("issuers", i);
    if (issuer.ca) settle.authorities(*issuer.ca, path + ".ca", false);
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
    if (tls.ca) settle.authorities(*tls.ca, path + ".ca", false);
    if (tls.certificate && tls.key) {
      settle.pair(*tls.certificate, *tls.key, path);
    } else {
      settle.file(tls.certificate, path + ".certificate", false);
      settle.file(tls.key, path + ".key", true);
    }
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
  check_coverage(settings, report);
  check_identity(settings, report);
}

}  // namespace holdfast::settings
