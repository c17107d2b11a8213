// The names of identity headers: none that means something else, none twice in a backend's eyes. See
// check_sections.h.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "http/field_name.h"
#include "http/hop_by_hop.h"
#include "settings/check_sections.h"

namespace holdfast::settings {
namespace {

// What a backend reads framing, routing or credentials from, whatever their spelling (http/field_name.h), and
// what this proxy sets itself.
bool is_reserved(std::string_view header) {
  static constexpr auto kReserved = std::to_array<std::string_view>({"accept",
                                                                     "accept-encoding",
                                                                     "accept-language",
                                                                     "authorization",
                                                                     "cookie",
                                                                     "date",
                                                                     "dpop",
                                                                     "expect",
                                                                     "forwarded",
                                                                     "host",
                                                                     "origin",
                                                                     "range",
                                                                     "referer",
                                                                     "user-agent",
                                                                     "via",
                                                                     "x-request-id",
                                                                     "traceparent",
                                                                     "tracestate",
                                                                     "x-http-method",
                                                                     "x-http-method-override",
                                                                     "x-method-override",
                                                                     "x-original-method",
                                                                     "x-original-uri",
                                                                     "x-original-url",
                                                                     "x-real-ip",
                                                                     "x-rewrite-url"});
  static constexpr auto kBeginnings =
      std::to_array<std::string_view>({"content-", "proxy-", "sec-", "x-forwarded-"});
  return http::is_hop_by_hop(header) ||
         std::ranges::any_of(kReserved, [&](std::string_view name) { return http::name_is(header, name); }) ||
         std::ranges::any_of(kBeginnings,
                             [&](std::string_view begin) { return http::name_starts_with(header, begin); });
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
    const auto [first, fresh] = seen.emplace(http::fold_name(*header), claim);
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
