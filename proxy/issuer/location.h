// Where something of an issuer is fetched from: an absolute http or https URL taken apart, and whether the
// rules let it be asked. Pure; any thread.
//   location = ( "http" / "https" ) "://" authority [ path ] [ "?" query ]     no userinfo, no fragment
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace holdfast::issuer {

struct Location {
  bool tls = true;
  std::string host;  // a name or an address; IPv6 without brackets
  std::uint16_t port = 443;
  std::string authority;  // for Host: a default port left out
  std::string target;     // path and query; begins with '/'
  bool loopback = false;  // this machine itself
};

// The error is a sentence for the operator.
[[nodiscard]] std::expected<Location, std::string> parse_location(std::string_view url);

// parse_location(), and plain http only to loopback or where `allow_http`: keys that somebody on the way can
// replace make every token of theirs valid.
[[nodiscard]] std::expected<Location, std::string> fetchable_location(std::string_view url, bool allow_http);

}  // namespace holdfast::issuer
