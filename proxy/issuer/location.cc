#include "issuer/location.h"

#include <algorithm>

#include "base/ascii.h"
#include "http/origin.h"

namespace holdfast::issuer {

std::expected<Location, std::string> parse_location(std::string_view url) {
  const auto flaw = [&](std::string_view what) { return std::unexpected(std::string(what)); };
  if (!std::ranges::all_of(url, [](char c) { return c > 0x20 && c < 0x7f; })) {
    return flaw("the URL holds a space, a control or an 8-bit byte");
  }
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return flaw("not an absolute URL");
  const std::string_view scheme_text = url.substr(0, colon);
  const auto scheme = http::parse_scheme(scheme_text);
  if (!scheme || ascii_lower(scheme_text.front()) != 'h') return flaw("the scheme is neither https nor http");

  std::string_view rest = url.substr(colon + 3);
  if (rest.contains('#')) return flaw("the URL has a fragment");
  const std::size_t slash = std::min(rest.find_first_of("/?"), rest.size());
  const auto authority = http::parse_authority(rest.substr(0, slash));
  if (!authority) return flaw("the URL's host or port is not valid");
  rest.remove_prefix(slash);

  const http::Origin origin(*scheme, *authority);
  Location location;
  location.tls = *scheme == http::Scheme::https;
  location.host = authority->host;
  location.port = origin.port();
  location.authority = origin.authority();
  location.target = (rest.starts_with('/') ? "" : "/") + std::string(rest);
  location.loopback = http::is_loopback_host(authority->host);
  if (location.host.starts_with('[')) location.host = location.host.substr(1, location.host.size() - 2);
  return location;
}

std::expected<Location, std::string> fetchable_location(std::string_view url, bool allow_http) {
  auto location = parse_location(url);
  if (location && !location->tls && !location->loopback && !allow_http) {
    return std::unexpected("plain http to " + location->authority + " needs allow_http: true");
  }
  return location;
}

}  // namespace holdfast::issuer
