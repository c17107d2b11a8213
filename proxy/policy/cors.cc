// Who may read an answer: see the header.
#include "policy/cors.h"

#include <algorithm>

#include "base/ascii.h"

namespace holdfast::policy {
namespace {

constexpr std::string_view kOurs = "WWW-Authenticate, DPoP-Nonce, Date, Retry-After";
constexpr std::string_view kAccessControl = "access-control-";

// Of one list. Whoever sends a preflight chooses its length, and each name is held against those before it.
constexpr std::size_t kMostNames = 100;

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_token_char);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

// #token (RFC 9110 5.6.1); what is no token is left out, and so is what comes after kMostNames.
template <class Take>
void for_each_token(std::string_view list, Take take) {
  for (std::size_t taken = 0; taken < kMostNames && !list.empty(); ++taken) {
    const std::size_t end = std::min(list.find(','), list.size());
    const std::string_view item = trimmed(list.substr(0, end));
    if (is_token(item)) take(item);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

bool holds(std::string_view list, std::string_view name) {
  bool found = false;
  for_each_token(list, [&](std::string_view item) { found = found || iequals(item, name); });
  return found;
}

void append(std::string& list, std::string_view name) {
  if (holds(list, name)) return;
  if (!list.empty()) list += ", ";
  list += name;
}

// The values of all fields of that name, in one list without repetitions.
std::string merged(std::string_view first, const http::Fields& fields, std::string_view name) {
  std::string list(first);
  for (const http::Field& field : fields) {
    if (iequals(field.name, name))
      for_each_token(field.value, [&list](std::string_view item) { append(list, item); });
  }
  return list;
}

bool is_access_control(const http::Field& field) {
  return field.name.size() >= kAccessControl.size() &&
         iequals(field.name.substr(0, kAccessControl.size()), kAccessControl);
}

// A cache must not hand one origin's answer to another.
void vary(http::Fields& response, std::string_view on) {
  std::string list = merged("", response, "Vary");
  if (holds(list, "*")) return;
  for_each_token(on, [&list](std::string_view item) { append(list, item); });
  response.set("Vary", list);
}

void allow(const CorsRules& rules, std::string_view allowed, http::Fields& response) {
  if (allowed.empty()) return;
  response.add("Access-Control-Allow-Origin", allowed);
  if (rules.credentials) response.add_view("Access-Control-Allow-Credentials", "true");
}

}  // namespace

std::optional<std::string_view> preflight_method(const http::RequestHead& head) {
  constexpr std::string_view kMethod = "Access-Control-Request-Method";
  if (head.method != "OPTIONS" || !head.fields.contains("Origin") || head.fields.count(kMethod) != 1)
    return std::nullopt;
  const std::string_view method = *head.fields.find(kMethod);
  return is_token(method) ? std::optional(method) : std::nullopt;
}

std::string_view allowed_origin(const CorsRules& rules, const http::Fields& request) {
  if (rules.any_origin) return "*";
  if (request.count("Origin") != 1) return {};
  const auto found = std::ranges::find(rules.origins, *request.find("Origin"));
  return found == rules.origins.end() ? std::string_view() : std::string_view(*found);
}

void set_cors(const CorsRules& rules, std::string_view allowed, http::Fields& response) {
  const std::string exposed = merged(kOurs, response, "Access-Control-Expose-Headers");
  response.remove_if(is_access_control);
  allow(rules, allowed, response);
  if (!allowed.empty()) response.add("Access-Control-Expose-Headers", exposed);
  vary(response, "Origin");
}

void answer_preflight(const CorsRules& rules, const http::RequestHead& head, std::string_view method,
                      http::Fields& response) {
  vary(response, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
  const std::string_view allowed = allowed_origin(rules, head.fields);
  if (allowed.empty()) return;
  allow(rules, allowed, response);
  response.add("Access-Control-Allow-Methods", method);
  response.add("Access-Control-Allow-Headers",
               merged("authorization, dpop", head.fields, "Access-Control-Request-Headers"));
  response.add("Access-Control-Max-Age", std::to_string(rules.max_age.count()));
}

}  // namespace holdfast::policy
