// The cases of `holdfast test`, from a YAML file of the configuration's own grammar (settings/node.h):
//
//   cases:
//     - name: a clerk may write               # once each
//       request: POST https://api.example.com/v1/orders
//       headers: {X-Tenant: a}                # optional
//       claims: {scope: "orders:write", auth_time: now-10m}   # of the token; no claims, no credentials
//       issuer: staff                         # optional: the first that the route trusts
//       scheme: bearer                        # optional: dpop
//       listener: public                      # optional: as `explain` has it
//       expect: allow                         # or deny, report, a reason, or a map of decision, reason,
//       status, route
//
// A claim is null where a token is to lack what it has otherwise. exp, nbf, iat and auth_time may be `now`,
// and that plus or minus a time. Mistakes come all at once, with line and column. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time.h"
#include "settings/problem.h"

namespace holdfast::cli {

struct Expected {
  std::string decision;  // allow, deny, report; empty: any
  std::string reason;    // empty: any
  std::optional<int> status;
  std::string route;  // empty: any
};

struct PolicyCase {
  settings::Mark mark;
  std::string name;
  std::string method;
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<boost::json::object> claims;
  std::string issuer;
  bool bearer = false;
  std::string listener;
  Expected expected;
};

[[nodiscard]] std::expected<std::vector<PolicyCase>, std::vector<settings::Problem>> read_cases(
    std::string_view text, UnixTime now);

}  // namespace holdfast::cli
