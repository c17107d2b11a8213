// Origins and authorities: see the header.
#include "http/origin.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "http/ip_address.h"

namespace holdfast::http {
namespace {

constexpr std::size_t kMaxHost = 253;  // RFC 1035 2.3.4, in text
constexpr std::size_t kMaxLabel = 63;

constexpr bool is_host_char(char c) {
  return is_alpha(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

// port = 1*5DIGIT, no leading zero, 1 to 65535
std::optional<std::uint16_t> parse_port(std::string_view digits) {
  if (digits.empty() || digits.size() > 5 || digits[0] == '0') return std::nullopt;
  unsigned port = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return std::nullopt;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  if (port > 65535) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

// label *( "." label ), or a dotted quad
bool is_host(std::string_view host) {
  if (host.empty() || host.size() > kMaxHost) return false;
  std::string_view label;
  for (std::string_view rest = host;;) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    label = rest.substr(0, dot);
    if (label.empty() || label.size() > kMaxLabel || !std::ranges::all_of(label, is_host_char)) return false;
    if (dot == rest.size()) break;
    rest.remove_prefix(dot + 1);
  }
  // A last label that some read as a number makes the whole a number to them ("127.1", "0x7f.1",
  // "2130706433").
  const bool numeric =
      std::ranges::all_of(label, is_digit) || label.starts_with("0x") || label.starts_with("0X");
  return !numeric || IpAddress::parse(host).has_value();
}

std::string make_text(Scheme scheme, std::string_view host, std::uint16_t port) {
  std::string text;
  text.reserve(host.size() + 14);
  text += scheme_name(scheme);
  text += "://";
  text += host;
  if (port != default_port(scheme)) {
    text += ':';
    text += std::to_string(port);
  }
  return text;
}

}  // namespace

std::optional<Scheme> parse_scheme(std::string_view text) {
  if (iequals(text, "https") || iequals(text, "wss")) return Scheme::https;
  if (iequals(text, "http") || iequals(text, "ws")) return Scheme::http;
  return std::nullopt;
}

std::string uri_host(std::string_view host) {
  return host.contains(':') ? '[' + std::string(host) + ']' : std::string(host);
}

std::string host_and_port(std::string_view host, std::uint16_t port) {
  return uri_host(host) + ':' + std::to_string(port);
}

std::optional<Authority> parse_authority(std::string_view text) {
  Authority authority;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    const std::string_view literal = text.substr(1, close - 1);
    const auto address = IpAddress::parse(literal);
    if (!address || !literal.contains(':')) return std::nullopt;
    authority.host = "[" + address->text_as_v6() + "]";
    text.remove_prefix(close + 1);
  } else {
    const std::size_t end = std::min(text.find(':'), text.size());
    if (!is_host(text.substr(0, end))) return std::nullopt;
    authority.host = to_lower(text.substr(0, end));
    text.remove_prefix(end);
  }
  if (text.empty()) return authority;
  if (text[0] != ':') return std::nullopt;
  authority.port = parse_port(text.substr(1));
  if (!authority.port) return std::nullopt;
  return authority;
}

bool is_ip_literal(std::string_view host) {
  return host.starts_with('[') || IpAddress::parse(host).has_value();
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  return address && address->is_loopback();
}

Origin::Origin(Scheme scheme, std::string host, std::uint16_t port)
    : scheme_(scheme), port_(port), host_(std::move(host)), text_(make_text(scheme_, host_, port_)) {}

std::optional<Origin> parse_origin(std::string_view text) {
  const std::size_t colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const auto scheme = parse_scheme(text.substr(0, colon));
  if (!scheme) return std::nullopt;
  text.remove_prefix(colon + 3);
  if (text.ends_with('/')) text.remove_suffix(1);
  const auto authority = parse_authority(text);
  if (!authority) return std::nullopt;
  return Origin(*scheme, *authority);
}

}  // namespace holdfast::http
