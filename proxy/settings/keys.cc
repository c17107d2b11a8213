#include "settings/keys.h"

#include "settings/key_forms.h"
#include "settings/keys_admin.h"
#include "settings/keys_dpop.h"
#include "settings/keys_identity.h"
#include "settings/keys_issuers.h"
#include "settings/keys_listeners.h"
#include "settings/keys_routes.h"
#include "settings/keys_upstreams.h"

namespace holdfast::settings {
namespace {

Value<std::optional<unsigned>> workers() {
  return scalar([](std::string_view text) -> Parsed<std::optional<unsigned>> {
    if (text == "auto") return std::optional<unsigned>();
    const auto count = parse_whole(text, 1, 1024);
    if (!count) return std::unexpected("auto or " + count.error());
    return static_cast<unsigned>(*count);
  });
}

Key<Draft> probes() {
  struct Probes {
    Address address{"", 9080};
  };
  const auto value =
      or_off(map<Probes>({member<Probes>("address", scalar(parse_address), &Probes::address)}));
  return member<Draft>("probes",
                       converted(value,
                                 [](std::optional<Probes> read) {
                                   return read ? std::optional<Address>(read->address) : std::nullopt;
                                 }),
                       &Settings::probes);
}

Keys<Log> log() {
  return {
      member<Log>("level",
                  choice<LogLevel>({{"trace", LogLevel::kTrace},
                                    {"debug", LogLevel::kDebug},
                                    {"info", LogLevel::kInfo},
                                    {"warning", LogLevel::kWarning},
                                    {"error", LogLevel::kError}}),
                  &Log::level),
      not_yet<Log>("format", {"json"}),
      member<Log>("access",
                  choice<AccessLog>(
                      {{"all", AccessLog::kAll}, {"denied", AccessLog::kDenied}, {"off", AccessLog::kOff}}),
                  &Log::access),
  };
}

Keys<Reload> reload() {
  return {member<Reload>("watch", boolean(), &Reload::watch)};
}

Keys<Shutdown> shutdown() {
  return {
      member<Shutdown>("delay", time(milliseconds(0), kHour), &Shutdown::delay),
      member<Shutdown>("drain", time(milliseconds(0), 24 * kHour), &Shutdown::drain),
  };
}

}  // namespace

const std::vector<std::string>& known_algorithms() {
  static const std::vector<std::string> names = Dpop().algorithms;
  return names;
}

const Keys<Draft>& file_keys() {
  static const Keys<Draft> keys{
      member<Draft>("issuer", url(), &Draft::issuer),
      member<Draft>("audience", audiences(), &Draft::audience),
      member<Draft>("upstream", server_url(), &Draft::upstream),
      member<Draft>("workers", workers(), &Settings::workers),
      member<Draft>("listeners", list(listener()), &Draft::listeners_written),
      member<Draft>("issuers", list(issuer()), &Draft::issuers_written),
      section<Draft>("dpop", dpop(), &Settings::dpop),
      member<Draft>("upstreams", list(upstream()), &Draft::upstreams_written),
      member<Draft>("routes", list(route()), &Draft::routes_written),
      identity(),
      probes(),
      admin(),
      section<Draft>("log", log(), &Settings::log),
      not_yet<Draft>("cors", {"off"}),
      section<Draft>("reload", reload(), &Settings::reload),
      section<Draft>("shutdown", shutdown(), &Settings::shutdown),
  };
  return keys;
}

}  // namespace holdfast::settings
