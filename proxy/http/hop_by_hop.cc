// Hop-by-hop fields and trailers: see the header.
#include "http/hop_by_hop.h"

#include <algorithm>
#include <array>

#include "http/field_name.h"
#include "http/forwarded.h"

namespace holdfast::http {
namespace {

constexpr auto kHopByHop = std::to_array<std::string_view>(
    {"connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade",
     "http2-settings", "proxy-authenticate", "proxy-authorization", "proxy-authentication-info"});

// Listing one of these in Connection would take away what the backend frames, routes or trusts by.
constexpr auto kNotForConnection = std::to_array<std::string_view>(
    {"host", "content-length", "content-type", "content-encoding", "via", "x-request-id", "traceparent"});

constexpr auto kNotInTrailers = std::to_array<std::string_view>({
    // framing and content
    "content-length",
    "content-type",
    "content-encoding",
    "content-range",
    // routing and request modifiers
    "host",
    "expect",
    "max-forwards",
    "cache-control",
    "pragma",
    "range",
    "via",
    "x-request-id",
    "traceparent",
    "tracestate",
    // credentials and what answers them
    "authorization",
    "dpop",
    "dpop-nonce",
    "cookie",
    "set-cookie",
    "www-authenticate",
    "authentication-info",
});

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& folded) {
  return std::ranges::any_of(folded, [name](std::string_view one) { return name_is(name, one); });
}

template <typename Visit>
void for_each_connection_option(const Fields& fields, Visit visit) {
  for (const Field& field : fields) {
    if (!iequals(field.name, "connection")) continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view option = trim_ows(rest.substr(0, comma));
      if (!option.empty()) visit(option);
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
}

bool iless(std::string_view a, std::string_view b) {
  return std::ranges::lexicographical_compare(a, b, {}, ascii_lower, ascii_lower);
}

}  // namespace

bool is_hop_by_hop(std::string_view name) {
  return is_one_of(name, kHopByHop);
}

std::vector<std::string_view> connection_options(const Fields& fields) {
  std::vector<std::string_view> options;
  for_each_connection_option(fields, [&](std::string_view option) { options.push_back(option); });
  return options;
}

bool connection_lists(const Fields& fields, std::string_view option) {
  bool found = false;
  for_each_connection_option(fields,
                             [&](std::string_view listed) { found = found || iequals(listed, option); });
  return found;
}

std::size_t remove_hop_by_hop(Fields& fields) {
  std::vector<std::string_view> listed;  // stays empty for "close" and "keep-alive"
  for_each_connection_option(fields, [&](std::string_view option) {
    const bool no_field = iequals(option, "close") || is_hop_by_hop(option);
    if (!no_field && !is_one_of(option, kNotForConnection) && !is_forwarding_field(option))
      listed.push_back(option);
  });
  std::ranges::sort(listed, iless);
  return fields.remove_if([&](const Field& field) {
    return is_hop_by_hop(field.name) ||
           (!listed.empty() && std::ranges::binary_search(listed, field.name, iless));
  });
}

std::optional<std::uint32_t> max_forwards(const Fields& fields) {
  constexpr std::size_t kMaxDigits = 9;
  const auto text = fields.find("max-forwards");
  if (!text || text->empty() || text->size() > kMaxDigits || fields.count("max-forwards") != 1) {
    return std::nullopt;
  }
  std::uint32_t hops = 0;
  for (const char c : *text) {
    if (!is_digit(c)) return std::nullopt;
    hops = hops * 10 + static_cast<std::uint32_t>(c - '0');
  }
  return hops;
}

std::size_t remove_forbidden_trailers(Fields& trailers) {
  return trailers.remove_if([](const Field& field) {
    return is_hop_by_hop(field.name) || is_one_of(field.name, kNotInTrailers) ||
           is_forwarding_field(field.name) || name_starts_with(field.name, "if-") ||
           name_starts_with(field.name, "proxy-");
  });
}

}  // namespace holdfast::http
