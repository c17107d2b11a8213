// Issuers: what is fetched from them in the clear, and how they are asked about tokens. See check_sections.h.
#include <string>
#include <string_view>
#include <unordered_map>

#include "settings/check_sections.h"
#include "settings/words.h"

namespace holdfast::settings {
namespace {

void check_reachable_safely(const Issuer& issuer, const std::string& url, const std::string& path,
                            Report& report, std::string_view risk = "replace the issuer's keys") {
  const auto origin = parse_url(url);
  if (issuer.allow_http || !origin || origin->scheme != "http" || is_loopback(origin->host)) return;
  const bool shorthand = !report.written("issuers");
  report.error_at(path,
                  "is plain http outside loopback, so anyone on the way could " + std::string(risk) +
                      "; use https, or " +
                      (shorthand ? "write it under issuers, with allow_http: true" : "set allow_http: true"));
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

}  // namespace

void check_issuers(const Settings& settings, Report& report) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < settings.issuers.size(); ++i) {
    const Issuer& issuer = settings.issuers[i];
    const std::string path = item("issuers", i);
    if (!issuer.url.empty()) {
      const auto [first, fresh] = seen.emplace(issuer.url, i);
      if (!fresh)
        report.error_at(path + ".url", "is the url of " + item("issuers", first->second) + " already");
      // copied from a browser; no token's `iss` has it (RFC 8414 2, OpenID Connect Discovery 3)
      if (issuer.url.contains("/.well-known/"))
        report.error_at(path + ".url", "is the address of metadata; write the issuer, as that names it");
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

}  // namespace holdfast::settings
