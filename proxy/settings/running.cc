#include "settings/running.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "http/origin.h"

namespace holdfast::settings {
namespace {

constexpr std::string_view kRestart = "needs a restart to change; this process goes on with ";

std::string text_of(const Address& address) {
  return http::host_and_port(address.host, address.port);
}

void keep(bool same, std::string_view path, const std::string& now, Report& report) {
  if (!same) report.error_at(path, std::string(kRestart) + now);
}

// A socket is known by its address. Whether it speaks TLS stays with it, too: connections that are open would
// change their scheme, and with it what their proofs may name.
bool same_socket(const Listener& a, const Listener& b) {
  return a.address == b.address && a.tls.has_value() == b.tls.has_value();
}

void check_listeners(Settings& next, const Settings& running, Report& report) {
  std::vector<std::optional<Listener>> placed(running.listeners.size());
  for (std::size_t i = 0; i < next.listeners.size(); ++i) {
    std::size_t at = 0;
    while (at < placed.size() && (placed[at] || !same_socket(running.listeners[at], next.listeners[i]))) ++at;
    if (at == placed.size()) {
      report.error_at("listeners[" + std::to_string(i) + "].address",
                      "is no listener of this process: a new or changed address, or tls turned on or off, "
                      "needs a restart");
      continue;
    }
    placed[at] = next.listeners[i];
  }
  for (std::size_t at = 0; at < placed.size(); ++at) {
    if (placed[at]) continue;
    report.error_at("listeners", "leaves out listener " + running.listeners[at].name + " on " +
                                     text_of(running.listeners[at].address) +
                                     ", which needs a restart to end");
  }
  if (!report.clean()) return;
  next.listeners.clear();
  for (std::optional<Listener>& listener : placed) next.listeners.push_back(*std::move(listener));
}

// ---- the difference

template <class Named>
const Named* find(const std::vector<Named>& all, std::string_view name) {
  const auto at = std::ranges::find(all, name, &Named::name);
  return at == all.end() ? nullptr : &*at;
}

// `same` compares two of one name.
template <class Named, class Same>
void compare(std::string_view what, const std::vector<Named>& before, const std::vector<Named>& after,
             Same same, std::vector<std::string>& out) {
  const auto say = [&](const Named& named, std::string_view how) {
    out.push_back(std::string(what) + ' ' + named.name + ' ' + std::string(how));
  };
  for (const Named& old : before) {
    if (find(after, old.name) == nullptr) say(old, "removed");
  }
  for (const Named& now : after) {
    const Named* const old = find(before, now.name);
    if (old == nullptr) {
      say(now, "added");
    } else if (!same(*old, now)) {
      say(now, "changed");
    }
  }
}

template <class Named>
bool same_order(const std::vector<Named>& before, const std::vector<Named>& after) {
  return std::ranges::equal(before, after, {}, &Named::name, &Named::name);
}

// Routes name issuers and upstreams by their index, which moves when another one comes before.
bool same_route(const Route& old, const Route& now, const Settings& before, const Settings& after) {
  Route moved = old;
  moved.issuers = now.issuers;
  moved.upstream = now.upstream;
  const auto names = [](const Route& route, const Settings& settings) {
    std::vector<std::string> all;
    for (const std::size_t issuer : route.issuers) all.push_back(settings.issuers[issuer].name);
    all.push_back(route.upstream ? settings.upstreams[*route.upstream].name : "");
    return all;
  };
  return moved == now && names(old, before) == names(now, after);
}

}  // namespace

void check_running(Settings& next, const Settings& running, Report& report) {
  keep(next.workers == running.workers, "workers",
       running.workers ? std::to_string(*running.workers) : "auto", report);
  keep(next.probes == running.probes, "probes", running.probes ? text_of(*running.probes) : "off", report);
  const auto admin = [](const Settings& settings) {
    if (!settings.admin) return std::string("off");
    return settings.admin->socket ? "unix:" + settings.admin->socket->string()
                                  : text_of(settings.admin->address);
  };
  keep(admin(next) == admin(running), "admin", admin(running), report);
  keep(next.dpop.replay == running.dpop.replay, "dpop.replay", "the store that it has", report);
  check_listeners(next, running, report);
}

std::vector<std::string> changes(const Settings& before, const Settings& after) {
  std::vector<std::string> out;
  const auto equal = [](const auto& a, const auto& b) { return a == b; };
  compare("listener", before.listeners, after.listeners, equal, out);
  compare("issuer", before.issuers, after.issuers, equal, out);
  compare("upstream", before.upstreams, after.upstreams, equal, out);
  compare(
      "route", before.routes, after.routes,
      [&](const Route& old, const Route& now) { return same_route(old, now, before, after); }, out);
  if (out.empty() && !same_order(before.routes, after.routes)) out.emplace_back("routes in another order");
  const auto whole = [&](bool same, std::string_view what) {
    if (!same) out.push_back(std::string(what) + " changed");
  };
  whole(before.memory == after.memory, "memory");
  whole(before.dpop == after.dpop, "dpop");
  whole(before.cors == after.cors, "cors");
  whole(before.identity_headers == after.identity_headers, "identity headers");
  whole(before.assertion == after.assertion, "identity assertion");
  whole(before.admin == after.admin, "admin");
  whole(before.log == after.log, "log");
  whole(before.reload == after.reload, "reload");
  whole(before.shutdown == after.shutdown, "shutdown");
  return out;
}

}  // namespace holdfast::settings
