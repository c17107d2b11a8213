#include "settings/check_hosts.h"

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/ascii.h"
#include "http/origin.h"

namespace holdfast::settings {
namespace {

// What requests' hosts may be, of all listeners together.
class AnsweredHosts {
 public:
  explicit AnsweredHosts(const std::vector<Listener>& listeners) {
    for (const Listener& each : listeners) {
      const bool lists = !each.public_origins.empty();
      // what a certificate holds is not looked at
      any_ = any_ || (!lists && each.tls);
      loopback_ = loopback_ || !lists;
      // With one public origin every request is for that one, unless a trusted proxy says another.
      routes_others_ = routes_others_ || each.public_origins.size() != 1 || !each.trusted_proxies.empty();
      for (const Origin& origin : each.public_origins) {
        named_.insert(reversed(http::uri_host(origin.host)));  // as requests have them
      }
    }
  }

  // A request for a host of the pattern may be one that a listener answers for.
  [[nodiscard]] bool hold(std::string_view pattern) const {
    if (any_ || (loopback_ && http::is_loopback_host(pattern))) return true;
    if (!pattern.starts_with("*.")) return named_.contains(reversed(pattern));
    const std::string suffix = reversed(pattern.substr(1));
    const auto at = named_.upper_bound(suffix);
    return at != named_.end() && at->starts_with(suffix);
  }
  // Routes are looked for under other hosts, too.
  [[nodiscard]] bool routes_others() const { return routes_others_; }

 private:
  static std::string reversed(std::string_view host) { return {host.rbegin(), host.rend()}; }

  bool any_ = false;
  bool loopback_ = false;
  bool routes_others_ = false;
  std::set<std::string, std::less<>> named_;  // reversed, so that those of one domain stand together
};

}  // namespace

void check_hosts(const Settings& settings, Report& report) {
  // what was refused is missing among them
  if (report.refused("listeners") || report.refused_within("listeners")) return;
  const AnsweredHosts answered(settings.listeners);
  for (std::size_t i = 0; i < settings.routes.size(); ++i) {
    const Route& route = settings.routes[i];
    const bool refuses_others = asks_for_token(route.access) && route.enforce;
    if (!refuses_others && answered.routes_others()) continue;
    for (std::size_t j = 0; j < route.match.hosts.size(); ++j) {
      const std::string pattern = to_lower(route.match.hosts[j]);
      if (pattern.empty() || answered.hold(pattern)) continue;
      report.warning_at("routes[" + std::to_string(i) + "].match.host[" + std::to_string(j) + ']',
                        "is a host that no listener answers for, so no request for it is let in: name it in "
                        "public_origins (without them, plain listeners answer for loopback alone)");
      break;  // one word a route
    }
  }
}

}  // namespace holdfast::settings
