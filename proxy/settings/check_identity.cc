// The names of identity headers: none that means something else, none twice in a backend's eyes. See
// check_sections.h.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/ascii.h"
#include "settings/check_sections.h"

namespace holdfast::settings {
namespace {

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

}  // namespace

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

}  // namespace holdfast::settings
