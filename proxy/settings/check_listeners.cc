// Listeners, and the addresses of our own beside theirs. See check_sections.h.
#include <algorithm>
#include <map>
#include <string>

#include "settings/check_sections.h"
#include "settings/words.h"

namespace holdfast::settings {
namespace {

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

}  // namespace

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

}  // namespace holdfast::settings
