#include "settings/words.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "http/ip_address.h"
#include "http/origin.h"
#include "policy/route_table.h"

namespace holdfast::settings {
namespace {

std::optional<std::uint64_t> digits(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// The digits, and the unit behind them.
struct Amount {
  std::uint64_t number;
  std::string_view unit;
};

std::optional<Amount> amount(std::string_view text) {
  const std::size_t unit = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = digits(text.substr(0, unit));
  if (!number) return std::nullopt;
  return Amount{*number, text.substr(unit)};
}

// [ HOST ] [ ":" PORT ], the host in the canonical form that requests' hosts are brought to, but without
// brackets.
struct HostPort {
  std::string host;
  std::optional<std::uint16_t> port;  // nullopt: none written
};

std::optional<HostPort> host_port(std::string_view text) {
  if (text.starts_with(':')) {
    const auto number = digits(text.substr(1));
    if (!number || *number > 65535) return std::nullopt;
    return HostPort{"", static_cast<std::uint16_t>(*number)};
  }
  auto authority = http::parse_authority(text);
  if (!authority) return std::nullopt;
  std::string host = std::move(authority->host);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return HostPort{std::move(host), authority->port};
}

struct SplitUrl {
  Origin origin;
  std::string_view path;
};

std::optional<SplitUrl> split_url(std::string_view text) {
  SplitUrl out;
  for (const char c : text) {
    // 8-bit, space and control bytes belong percent-encoded; userinfo, query and fragment have no place here
    if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7F) return std::nullopt;
    if (std::string_view("\"<>\\^`{|}@?#").contains(c)) return std::nullopt;
  }
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  out.origin.scheme = to_lower(text.substr(0, colon));
  if (out.origin.scheme != "http" && out.origin.scheme != "https") return std::nullopt;
  text.remove_prefix(colon + 3);
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto authority = host_port(text.substr(0, slash));
  if (!authority || authority->host.empty() || authority->port == 0) return std::nullopt;
  out.origin.host = authority->host;
  out.origin.port = authority->port.value_or(out.origin.scheme == "https" ? 443 : 80);
  out.path = text.substr(slash);
  return out;
}

}  // namespace

std::string size_words(std::uint64_t bytes) {
  constexpr std::uint64_t kKiB = 1024;
  constexpr std::uint64_t kMiB = kKiB * 1024;
  if (bytes >= kMiB && bytes % kMiB == 0) return std::to_string(bytes / kMiB) + "MiB";
  if (bytes >= kKiB && bytes % kKiB == 0) return std::to_string(bytes / kKiB) + "KiB";
  return std::to_string(bytes);
}

std::string time_words(milliseconds time) {
  const auto ms = time.count();
  if (ms == 0) return "0s";
  if (ms % 3'600'000 == 0) return std::to_string(ms / 3'600'000) + "h";
  if (ms % 60'000 == 0) return std::to_string(ms / 60'000) + "m";
  if (ms % 1'000 == 0) return std::to_string(ms / 1'000) + "s";
  return std::to_string(ms) + "ms";
}

std::string share_words(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%g%%", share * 100);
  return text;
}

Parsed<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto number = digits(text);
  if (number && *number >= least && *number <= most) return *number;
  return std::unexpected("a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

Parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t least, std::uint64_t most) {
  const auto parts = amount(text);
  std::uint64_t unit = 0;
  if (parts && parts->unit.empty()) unit = 1;
  if (parts && parts->unit == "KiB") unit = 1024;
  if (parts && parts->unit == "MiB") unit = 1024 * 1024;
  if (unit == 0) return std::unexpected("a size such as 512, 64KiB or 10MiB");
  if (parts->number > most / unit || parts->number * unit < least) {
    return std::unexpected("a size from " + size_words(least) + " to " + size_words(most));
  }
  return parts->number * unit;
}

Parsed<milliseconds> parse_time(std::string_view text, milliseconds least, milliseconds most) {
  const auto parts = amount(text);
  std::uint64_t unit = 0;
  if (parts && parts->unit == "ms") unit = 1;
  if (parts && parts->unit == "s") unit = 1'000;
  if (parts && parts->unit == "m") unit = 60'000;
  if (parts && parts->unit == "h") unit = 3'600'000;
  if (unit == 0) return std::unexpected("a time such as 500ms, 10s, 5m or 1h");
  const auto bound = static_cast<std::uint64_t>(most.count());
  if (parts->number > bound / unit || parts->number * unit < static_cast<std::uint64_t>(least.count())) {
    return std::unexpected("a time from " + time_words(least) + " to " + time_words(most));
  }
  return milliseconds(static_cast<std::int64_t>(parts->number * unit));
}

Parsed<double> parse_share(std::string_view text) {
  const std::string expected = "a share such as 10% or 0.5%, more than 0% and at most 100%";
  const std::size_t dot = text.find('.');
  if (!text.ends_with('%') || text.size() > kLongestShare) return std::unexpected(expected);
  const std::string_view number = text.substr(0, text.size() - 1);
  const bool plain = dot == std::string_view::npos
                         ? digits(number).has_value()
                         : digits(number.substr(0, dot)) && digits(number.substr(dot + 1));
  double percent = 0;
  if (!plain || std::from_chars(number.data(), number.data() + number.size(), percent).ec != std::errc() ||
      percent <= 0 || percent > 100) {
    return std::unexpected(expected);
  }
  return percent / 100;
}

Parsed<Address> parse_address(std::string_view text) {
  const auto parts = host_port(text);
  if (!parts || !parts->port)
    return std::unexpected("an address such as :8443, 127.0.0.1:8443 or [::1]:8443");
  return Address{parts->host, *parts->port};
}

Parsed<Origin> parse_origin(std::string_view text) {
  const auto url = split_url(text);
  if (!url || url->path.size() > 1) {
    return std::unexpected("an origin such as https://api.example.com or http://127.0.0.1:8000");
  }
  return url->origin;
}

Parsed<Origin> parse_url(std::string_view text) {
  const auto url = split_url(text);
  if (!url) return std::unexpected("an absolute http or https URL without userinfo, query and fragment");
  return url->origin;
}

Parsed<Cidr> parse_cidr(std::string_view text) {
  if (!http::Cidr::parse(text)) {
    return std::unexpected(
        "an address range such as 10.0.0.0/8, fd00::/8 or 192.0.2.7, with no bits beyond its length");
  }
  const std::size_t slash = text.find('/');
  Cidr out{std::string(text.substr(0, slash)), 0};
  const std::uint64_t whole = out.address.contains(':') ? 128 : 32;
  const auto length =
      slash == std::string_view::npos ? whole : digits(text.substr(slash + 1)).value_or(whole);
  out.prefix_length = static_cast<unsigned>(length);
  return out;
}

Parsed<std::string> parse_host_pattern(std::string_view text) {
  std::string host = to_lower(text);
  if (const auto flaw = policy::host_pattern_error(host)) {
    return std::unexpected("a host such as api.example.com or *.example.com (" + *flaw + ')');
  }
  return host;
}

Parsed<std::string> parse_path_pattern(std::string_view text) {
  if (const auto flaw = policy::path_pattern_error(text)) {
    return std::unexpected("a path pattern such as /v1/orders/** (" + *flaw + ')');
  }
  return std::string(text);
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_scope(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) > 0x20 && static_cast<unsigned char>(c) < 0x7F && c != '"' &&
           c != '\\';
  });
}

bool is_loopback(std::string_view host) {
  if (host.ends_with(".localhost")) return true;
  return http::is_loopback_host(http::uri_host(host));
}

}  // namespace holdfast::settings
