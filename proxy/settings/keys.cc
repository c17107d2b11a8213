#include "settings/keys.h"

#include "settings/key_forms.h"
#include "settings/keys_admin.h"
#include "settings/keys_cors.h"
#include "settings/keys_dpop.h"
#include "settings/keys_identity.h"
#include "settings/keys_issuers.h"
#include "settings/keys_listeners.h"
#include "settings/keys_routes.h"
#include "settings/keys_upstreams.h"

namespace holdfast::settings {
namespace {

constexpr unsigned kMostWorkers = 1024;
// Less than that is used before the first client comes.
constexpr std::uint64_t kLeastMemory = 32ULL * 1024 * 1024;
constexpr std::uint64_t kMostMemory = 1024ULL * 1024 * 1024 * 1024 * 1024;

Value<std::optional<unsigned>> workers() {
  auto value = scalar(
      [](std::string_view text) -> Parsed<std::optional<unsigned>> {
        if (text == "auto") return std::optional<unsigned>();
        const auto count = parse_whole(text, 1, kMostWorkers);
        if (!count) return std::unexpected("auto or " + count.error());
        return static_cast<unsigned>(*count);
      },
      any_of({words_schema({"auto"}), whole_schema(1, kMostWorkers),
              text_schema(digits_pattern(1, kMostWorkers), "auto or a whole number from 1 to 1024")}));
  value.write = [](const std::optional<unsigned>& written) {
    return written ? boost::json::value(*written) : boost::json::value("auto");
  };
  return value;
}

Key<Draft> probes() {
  struct Probes {
    Address address{"", 9080};
  };
  const auto value = or_off(map<Probes>({member<Probes>("address", address(), &Probes::address)
                                             .about("Where: :PORT, HOST:PORT or [IPV6]:PORT")}));
  return member<Draft>("probes",
                       converted(value,
                                 [](std::optional<Probes> read) {
                                   return read ? std::optional<Address>(read->address) : std::nullopt;
                                 }),
                       &Settings::probes)
      .about("/livez, /readyz, /startupz and /metrics, plain and read-only; off for none");
}

Keys<Log> log() {
  return {
      member<Log>("level",
                  choice<LogLevel>({{"trace", LogLevel::kTrace},
                                    {"debug", LogLevel::kDebug},
                                    {"info", LogLevel::kInfo},
                                    {"warning", LogLevel::kWarning},
                                    {"error", LogLevel::kError}}),
                  &Log::level)
          .about("What is logged beside requests, from this level up"),
      not_yet<Log>("format", {"json"}).about("How log lines are written"),
      member<Log>("access",
                  choice<AccessLog>(
                      {{"all", AccessLog::kAll}, {"denied", AccessLog::kDenied}, {"off", AccessLog::kOff}}),
                  &Log::access)
          .about("Which requests the access log has a line for"),
  };
}

Keys<Reload> reload() {
  return {member<Reload>("watch", boolean(), &Reload::watch)
              .about("on: read anew when the file, or what it stands on, changes; SIGHUP always does")};
}

Keys<Shutdown> shutdown() {
  return {
      member<Shutdown>("delay", time(milliseconds(0), kHour), &Shutdown::delay)
          .about("How long everything is still served after the signal, no longer ready"),
      member<Shutdown>("drain", time(milliseconds(0), 24 * kHour), &Shutdown::drain)
          .about("How long requests in flight may take after that"),
  };
}

}  // namespace

const std::vector<std::string>& known_algorithms() {
  static const std::vector<std::string> names = Dpop().algorithms;
  return names;
}

const Keys<Draft>& file_keys() {
  static const Keys<Draft> keys{
      member<Draft>("issuer", url(), &Draft::issuer)
          .about("The exact `iss` of the tokens; shorthand for one entry of issuers"),
      member<Draft>("audience", audiences(), &Draft::audience)
          .about("What must be in `aud`: a name, a list of names, or any; beside issuer"),
      member<Draft>("upstream", server_url(), &Draft::upstream)
          .about("The API's URL; shorthand for one entry of upstreams"),
      member<Draft>("workers", workers(), &Settings::workers)
          .about("Threads that serve; auto: one per CPU that the process may use, at most 8"),
      member<Draft>("memory", size_or_auto(kLeastMemory, kMostMemory), &Settings::memory)
          .about(
              "What the process may use; near it new requests are refused (503). auto: its cgroup's limit"),
      member<Draft>("listeners", list(listener(), "must not be empty; leave the key out for :8443 with TLS"),
                    &Draft::listeners_written)
          .about("Where clients connect; without it :8443 with tls.crt and tls.key beside the file"),
      member<Draft>("issuers", list(issuer()), &Draft::issuers_written).about("Who may issue access tokens"),
      section<Draft>("dpop", dpop(), &Settings::dpop).about("What a proof has to be (RFC 9449)"),
      member<Draft>("upstreams", list(upstream()), &Draft::upstreams_written)
          .about("The APIs behind Holdfast"),
      member<Draft>("routes", list(route(), "must not be empty"), &Draft::routes_written)
          .about("Who may do what; the first match wins, no match is 404"),
      identity(),
      probes(),
      admin(),
      section<Draft>("log", log(), &Settings::log).about("Logs, on stdout and stderr"),
      member<Draft>("cors", cors(), &Settings::cors)
          .about("Cross-origin requests of browsers, for all routes"),
      section<Draft>("reload", reload(), &Settings::reload).about("When the file is read anew"),
      section<Draft>("shutdown", shutdown(), &Settings::shutdown).about("How Holdfast ends"),
  };
  return keys;
}

}  // namespace holdfast::settings
