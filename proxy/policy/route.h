// A route: which requests it takes and what it demands of them. Plain data, made from the configuration at
// start and on reload, immutable afterwards; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/requirements.h"

namespace holdfast::policy {

enum class Access : std::uint8_t { dpop, dpop_or_bearer, public_access, deny };

[[nodiscard]] constexpr bool is_protected(Access access) {
  return access != Access::public_access;
}
[[nodiscard]] constexpr bool takes_bearer(Access access) {
  return access == Access::dpop_or_bearer;
}

// Each list: any one of them, and an empty list takes everything.
struct RouteMatch {
  std::vector<std::string>
      hosts;  // "api.example.com" or "*.example.com" (one or more labels in its place), no port
  std::vector<std::string> paths;    // "/a/*/b", "/a/**"
  std::vector<std::string> methods;  // compared byte for byte
};

struct Route {
  std::string name;
  RouteMatch match;
  Access access = Access::dpop;
  std::vector<std::string> issuers;  // names of configured issuers; empty only where none is needed
  Requirements require;
  std::optional<bool> nonce_required;  // empty: as dpop.nonce.mode says
  bool enforce = true;                 // false: reports_only()
  std::string upstream;                // name of a configured upstream; empty for deny
  std::string strip_prefix;            // "/v1": whole segments
  std::size_t index = 0;  // place in the table, for whatever is kept beside a route; set by RouteTable
};

// Whether what speaks against a caller is told, and the request passes (enforce: false). A closed route stays
// closed, and a public one asks for nothing.
[[nodiscard]] constexpr bool reports_only(const Route& route) {
  return !route.enforce && is_protected(route.access) && route.access != Access::deny;
}

// The path that the backend gets: without strip_prefix's segments, never empty.
[[nodiscard]] std::string_view backend_path(const Route& route, std::string_view path);

}  // namespace holdfast::policy
