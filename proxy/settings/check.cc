#include "settings/check.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "settings/check_coverage.h"
#include "settings/check_hosts.h"
#include "settings/check_sections.h"
#include "settings/words.h"

namespace holdfast::settings {
namespace {

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
    // a route that was refused may be the one that does
    if (!used[i] && !settings.routes.empty() && !report.refused_within("routes"))
      report.warning_at(path, "no route uses this upstream");
  }
}

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
  if (parsed.ec != std::errc() || parsed.ptr != replicas.data() + replicas.size()) {
    report.warning_at("dpop.replay.store",
                      "is memory, and HOLDFAST_REPLICAS does not say how many replicas "
                      "there are: it is no whole number");
  } else if (count > 1) {
    report.warning_at("dpop.replay.store", "is memory beside HOLDFAST_REPLICAS=" + std::to_string(count) +
                                               ": each replica would accept the same proof once");
  }
}

}  // namespace

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
  check_hosts(settings, report);
  check_identity(settings, report);
}

}  // namespace holdfast::settings
