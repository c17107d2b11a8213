// What a route demands of one claim of the access token. The claim is named by a path through objects:
//   path = name *( "." name )        name = 1*( any byte but "." and "\" / "\." / "\\" )
// so "\." reaches a member whose own name has a dot: https://example\.com/tenant. Only objects are gone
// through; an array is looked into at the path's end, where one equal element is enough. Values are equal as
// JSON values are: true is not "true", 1 is 1.0. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace holdfast::policy {

using ClaimPath = std::vector<std::string>;
using ClaimValue = std::variant<bool, std::int64_t, double, std::string>;

struct ClaimRule {
  ClaimPath path;
  std::string name;                // the path as it was written, for people
  std::vector<ClaimValue> any_of;  // the claim, or an element of it, equals one of these
};

// The error says why the text is no path, in words for the configuration's author.
[[nodiscard]] std::expected<ClaimPath, std::string> parse_claim_path(std::string_view text);

// nullptr: the claims have no such member.
[[nodiscard]] const boost::json::value* find_claim(const boost::json::object& claims, const ClaimPath& path);

[[nodiscard]] bool allows(const ClaimRule& rule, const boost::json::value& claim);

}  // namespace holdfast::policy
