// Listeners, and the addresses of our own beside theirs. See check_sections.h.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "settings/check_sections.h"
#include "settings/words.h"

namespace holdfast::settings {
namespace {

// Without the list it is the certificate that says what a proof's htu may name.
void check_public_origins(const Listener& listener, const std::string& path, Report& report) {
  if (!listener.public_origins.empty() || is_loopback(listener.address.host) || !report.written(path)) return;
  if (report.refused(path + ".tls")) return;  // whether it speaks TLS is not known
  report.warning_at(path + ".public_origins",
                    listener.tls
                        ? "is missing: whatever name the certificate holds counts for this listener; "
                          "say what clients call it"
                        : "is missing: without TLS only names of loopback count then, and a request to "
                          "a protected route by any other name is refused (origin_unknown)");
}

// ":8443" takes the port of every address, those of other listeners included; port 0 is any that is free.
bool overlap(const Address& a, const Address& b) {
  return a.port != 0 && a.port == b.port && (a.host == b.host || a.host.empty() || b.host.empty());
}

std::string overlap_words(const Address& a, const Address& b, const std::string& other) {
  return a == b ? "is the address of " + other + " already" : "overlaps with the address of " + other;
}

// The listeners so far, by what they take.
class TakenAddresses {
 public:
  // Enters one; or the index of the one that has it.
  std::optional<std::size_t> take(const Address& address, std::size_t index) {
    if (address.port == 0) return std::nullopt;
    if (const auto same = exact_.find(address); same != exact_.end()) return same->second;
    // which of several on one port does not matter to whoever takes it everywhere
    const auto other = address.host.empty() ? of_port_.find(address.port) : everywhere_.find(address.port);
    const bool taken = other != (address.host.empty() ? of_port_.end() : everywhere_.end());
    exact_.emplace(address, index);
    of_port_.emplace(address.port, index);
    if (address.host.empty()) everywhere_.emplace(address.port, index);
    return taken ? std::optional(other->second) : std::nullopt;
  }

 private:
  std::map<Address, std::size_t> exact_;
  std::map<std::uint16_t, std::size_t> of_port_;
  std::map<std::uint16_t, std::size_t> everywhere_;
};

}  // namespace

void check_listeners(const Settings& settings, Report& report) {
  const bool protects = std::any_of(settings.routes.begin(), settings.routes.end(),
                                    [](const Route& route) { return asks_for_token(route.access); });
  const auto& all = settings.listeners;
  TakenAddresses taken;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string path = item("listeners", i);
    const Listener& listener = all[i];
    const auto refuse = [&](const Address& other, const std::string& whose) {
      report.error_at(path + ".address", overlap_words(listener.address, other, whose));
    };
    if (const auto other = taken.take(listener.address, i))
      refuse(all[*other].address, item("listeners", *other));
    if (settings.probes && overlap(*settings.probes, listener.address)) refuse(*settings.probes, "probes");
    if (settings.admin && !settings.admin->socket && overlap(settings.admin->address, listener.address))
      refuse(settings.admin->address, "admin");
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
  if (settings.probes && overlap(*settings.probes, address))
    report.error_at("admin.address", overlap_words(address, *settings.probes, "probes"));
  if (!is_loopback(address.host)) {
    report.warning_at("admin.address",
                      "can be reached from outside this machine, in plain HTTP: whoever is on the way can "
                      "read the token");
  }
}

}  // namespace holdfast::settings
