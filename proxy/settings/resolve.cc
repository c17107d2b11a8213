#include "settings/resolve.h"

#include <set>
#include <unordered_map>
#include <utility>

#include "settings/suggest.h"

namespace holdfast::settings {
namespace {

void refuse_both(bool shorthand, bool long_form, std::string_view key, std::string_view list,
                 Report& report) {
  if (shorthand && long_form) {
    report.error_at(key,
                    "is shorthand for one entry under " + std::string(list) + "; it cannot stand beside it");
  }
}

ListenerTls resolve_tls(TlsDraft draft, const std::string& path, Report& report) {
  const bool pair = draft.certificate || draft.key;
  if (pair && !draft.certificates.empty()) {
    report.error_at(path + ".certificates",
                    "cannot stand beside certificate and key, which are shorthand for it");
  } else if (draft.certificate && draft.key) {
    draft.certificates.push_back({*draft.certificate, *draft.key});
    report.rename(path + ".certificates[0].", path + '.');
  } else if (draft.certificate) {
    report.error_at(path + ".key", "is required beside certificate");
  } else if (draft.key) {
    report.error_at(path + ".certificate", "is required beside key");
  } else if (draft.certificates.empty() && !report.refused_within(path)) {
    report.error_at(path, "needs certificate and key, or certificates");
  }
  return draft;
}

std::vector<Listener> resolve_listeners(std::optional<std::vector<ListenerDraft>> drafts, Report& report) {
  std::vector<Listener> out;
  if (!drafts && report.refused("listeners")) return {};
  if (!drafts) {
    Listener alone;
    alone.name = "default";
    alone.address = {"", 8443};
    alone.tls = ListenerTls{};
    alone.tls->certificates.push_back({"tls.crt", "tls.key"});
    return {std::move(alone)};
  }
  for (std::size_t i = 0; i < drafts->size(); ++i) {
    ListenerDraft& draft = (*drafts)[i];
    const std::string path = item("listeners", i);
    // plain HTTP only when written out: without the key the listener was refused before
    if (draft.tls_written && *draft.tls_written) {
      draft.tls = resolve_tls(**std::move(draft.tls_written), path + ".tls", report);
    }
    out.push_back(std::move(draft));
  }
  return out;
}

std::vector<Issuer> resolve_issuers(Draft& draft, Report& report) {
  refuse_both(draft.issuer.has_value(), draft.issuers_written.has_value(), "issuer", "issuers", report);
  if (draft.audience && !draft.issuer && !report.refused("issuer")) {
    report.error_at("audience", draft.issuers_written
                                    ? "goes with issuer; write audiences under each of issuers"
                                    : "goes with issuer, which is missing");
  }
  if (!draft.issuers_written && draft.issuer) {
    IssuerDraft alone;
    alone.name = "default";
    alone.url = *draft.issuer;
    if (draft.audience)
      alone.audiences_written = *draft.audience;
    else
      report.error_at("audience", "is required beside issuer");
    draft.issuers_written = {alone};
    report.rename("issuers[0].audiences", "audience");
    report.rename("issuers[0].url", "issuer");
    report.rename("issuers[0]", "issuer");
  }
  std::vector<Issuer> out;
  for (IssuerDraft& issuer : draft.issuers_written.value_or(std::vector<IssuerDraft>())) {
    issuer.any_audience = issuer.audiences_written.any;
    issuer.audiences = std::move(issuer.audiences_written.named);
    out.push_back(std::move(issuer));
  }
  return out;
}

std::vector<Upstream> resolve_upstreams(Draft& draft, Report& report) {
  refuse_both(draft.upstream.has_value(), draft.upstreams_written.has_value(), "upstream", "upstreams",
              report);
  if (!draft.upstreams_written && draft.upstream) {
    Upstream alone;
    alone.name = "default";
    alone.servers.push_back({*draft.upstream, 1});
    report.rename("upstreams[0].servers[0]", "upstream");
    report.rename("upstreams[0]", "upstream");
    return {std::move(alone)};
  }
  return std::move(draft.upstreams_written).value_or(std::vector<Upstream>());
}

// What routes may refer to.
struct Names {
  std::string_view kind;  // "issuer"
  std::string_view list;  // "issuers"
  std::vector<std::string> known;
  std::unordered_map<std::string_view, std::size_t> indexes;  // the first of each
};

template <class T>
Names names_of(std::string_view kind, std::string_view list, const std::vector<T>& all) {
  Names out{kind, list, {}, {}};
  for (const T& one : all) {
    out.indexes.emplace(one.name, out.known.size());
    out.known.push_back(one.name);
  }
  return out;
}

std::optional<std::size_t> find(const std::string& name, const Names& names, const std::string& path,
                                Report& report) {
  if (const auto at = names.indexes.find(name); at != names.indexes.end()) return at->second;
  // where the list itself is broken, every name would dangle
  if (name.empty() || report.overfull() || report.refused(names.list)) return std::nullopt;
  report.error_at(path, "no " + std::string(names.kind) + " is named " + report.shown(path) +
                            did_you_mean(name, names.known));
  return std::nullopt;
}

void resolve_issuers_of(RouteDraft& route, const Names& names, const std::string& path, Report& report) {
  if (route.issuer_names.empty() && names.known.size() == 1) {
    route.issuers = {0};
  } else if (route.issuer_names.empty()) {
    if (report.refused("issuers") || report.refused("issuer")) return;
    report.error_at(path + ".issuers", names.known.empty()
                                           ? "the route asks for a token, and no issuer is configured"
                                           : "is required, as several issuers are configured");
  }
  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < route.issuer_names.size(); ++i) {
    const std::string at = item(path + ".issuers", i);
    const auto index = find(route.issuer_names[i], names, at, report);
    if (!index) continue;
    if (!seen.insert(*index).second) {
      report.error_at(at, "stands in the list already");
    } else {
      route.issuers.push_back(*index);
    }
  }
}

// A rule on a route that never looks at a token would be believed, and not enforced.
void refuse_idle_rules(const RouteDraft& route, const std::string& path, Report& report) {
  const std::string why =
      std::string("has no effect where access is ") + (route.access == Access::kPublic ? "public" : "deny");
  if (!route.issuer_names.empty()) report.error_at(path + ".issuers", why);
  if (route.resource) report.error_at(path + ".resource", why);
  if (route.own_nonce) report.error_at(path + ".nonce", why);
  if (!route.enforce) report.error_at(path + ".enforce", why);
  if (route.close_at_expiry) report.error_at(path + ".close_at_expiry", why);
  if (route.require != Require()) report.error_at(path + ".require", why);
  if (route.access != Access::kDeny) return;
  if (route.timeouts != RouteTimeouts()) report.error_at(path + ".timeouts", why);
  if (route.limits != RouteLimits()) report.error_at(path + ".limits", why);
}

std::vector<Route> resolve_routes(Draft& draft, const Settings& settings, Report& report) {
  const Names issuers = names_of("issuer", "issuers", settings.issuers);
  const Names upstreams = names_of("upstream", "upstreams", settings.upstreams);
  if (!draft.routes_written) {
    if (!draft.upstream && !report.refused("upstream")) {
      report.error_at("routes", "is required; or write three lines: issuer, audience and upstream");
      return {};
    }
    if (issuers.known.empty()) report.error_at("issuer", "is required beside upstream, or routes");
    RouteDraft everything;
    everything.name = "default";
    draft.routes_written = {everything};
    report.rename("routes[0]", "routes");
    if (issuers.known.empty()) return {};
  }
  std::vector<Route> out;
  for (std::size_t i = 0; i < draft.routes_written->size(); ++i) {
    RouteDraft& route = (*draft.routes_written)[i];
    const std::string path = item("routes", i);
    if (report.refused(path)) {
      out.push_back(route);
      continue;
    }
    if (asks_for_token(route.access)) {
      resolve_issuers_of(route, issuers, path, report);
      route.nonce = route.own_nonce.value_or(settings.dpop.nonce.mode);
    } else if (!report.refused(path + ".access")) {
      refuse_idle_rules(route, path, report);
    }
    route.cors = route.own_cors.value_or(settings.cors);
    if (route.upstream_name) {
      route.upstream = find(*route.upstream_name, upstreams, path + ".upstream", report);
    } else if (upstreams.known.size() == 1) {
      route.upstream = 0;
    } else if (route.access != Access::kDeny && !report.refused("upstreams") && !report.refused("upstream")) {
      report.error_at(path + ".upstream", upstreams.known.empty()
                                              ? "is required, and no upstream is configured"
                                              : "is required, as several upstreams are configured");
    }
    out.push_back(std::move(route));
  }
  return out;
}

}  // namespace

Settings resolve(Draft draft, Report& report) {
  Settings out = static_cast<const Settings&>(draft);
  out.listeners = resolve_listeners(std::move(draft.listeners_written), report);
  out.issuers = resolve_issuers(draft, report);
  out.upstreams = resolve_upstreams(draft, report);
  if (!report.refused("routes")) out.routes = resolve_routes(draft, out, report);
  return out;
}

}  // namespace holdfast::settings
