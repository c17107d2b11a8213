// Claims: see the header.
#include "policy/claim_rule.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>

namespace holdfast::policy {
namespace {

namespace json = boost::json;

// Beyond 2^63 no double is an int64, beyond 2^64 no uint64, and a cast would be undefined.
bool is_whole(double number, std::int64_t whole) {
  constexpr double kLimit = 9223372036854775808.0;
  return number >= -kLimit && number < kLimit && std::floor(number) == number &&
         static_cast<std::int64_t>(number) == whole;
}
bool is_whole(double number, std::uint64_t whole) {
  constexpr double kLimit = 18446744073709551616.0;
  return number >= 0 && number < kLimit && std::floor(number) == number &&
         static_cast<std::uint64_t>(number) == whole;
}

bool equals(const json::value& claim, bool wanted) {
  return claim.is_bool() && claim.get_bool() == wanted;
}

bool equals(const json::value& claim, std::int64_t wanted) {
  if (claim.is_int64()) return claim.get_int64() == wanted;
  if (claim.is_uint64()) return wanted >= 0 && claim.get_uint64() == static_cast<std::uint64_t>(wanted);
  return claim.is_double() && is_whole(claim.get_double(), wanted);
}

bool equals(const json::value& claim, double wanted) {
  if (claim.is_double()) return claim.get_double() == wanted;
  if (claim.is_uint64()) return is_whole(wanted, claim.get_uint64());
  return claim.is_int64() && is_whole(wanted, claim.get_int64());
}

bool equals(const json::value& claim, const std::string& wanted) {
  return claim.is_string() && std::string_view(claim.get_string()) == wanted;
}

bool is_one_of(const std::vector<ClaimValue>& wanted, const json::value& claim) {
  return std::ranges::any_of(wanted, [&claim](const ClaimValue& each) {
    return std::visit([&claim](const auto& value) { return equals(claim, value); }, each);
  });
}

// https://example.com/tenant, its dots not escaped: a path whose first name is "https://example".
bool is_torn_url(std::string_view first_name) {
  const std::size_t colon = first_name.find("://");
  return colon != std::string_view::npos && !first_name.substr(colon + 3).contains('/');
}

}  // namespace

std::expected<ClaimPath, std::string> parse_claim_path(std::string_view text) {
  ClaimPath path(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '.') {
      if (path.back().empty()) return std::unexpected("a name is empty");
      path.emplace_back();
    } else if (text[i] != '\\') {
      path.back() += text[i];
    } else if (++i < text.size() && (text[i] == '.' || text[i] == '\\')) {
      path.back() += text[i];
    } else {
      return std::unexpected(R"(after a \ only . or \ may stand)");
    }
  }
  if (path.back().empty()) return std::unexpected("a name is empty");
  if (path.size() > 1 && is_torn_url(path[0])) {
    return std::unexpected(R"(a dot inside a name is written \.)");
  }
  return path;
}

const json::value* find_claim(const json::object& claims, const ClaimPath& path) {
  const json::object* in = &claims;
  const json::value* found = nullptr;
  for (const std::string& name : path) {
    if (in == nullptr) return nullptr;
    found = in->if_contains(name);
    if (found == nullptr) return nullptr;
    in = found->if_object();
  }
  return found;
}

bool allows(const ClaimRule& rule, const json::value& claim) {
  const json::array* const elements = claim.if_array();
  if (elements == nullptr) return is_one_of(rule.any_of, claim);
  return std::ranges::any_of(*elements,
                             [&rule](const json::value& each) { return is_one_of(rule.any_of, each); });
}

}  // namespace holdfast::policy
