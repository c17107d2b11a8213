// Origins (RFC 6454) and authorities (RFC 3986 3.2), strict: one canonical text for each, so that comparing
// texts compares origins. Hosts are registered names of letters, digits, '-', '_' and '.', dotted-quad IPv4,
// or bracketed IPv6; what other programs read in two ways (percent-encoding, userinfo, trailing dots, numeric
// names, zone ids, odd ports) is refused. Pure; any thread.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::http {

enum class Scheme : std::uint8_t { http, https };

[[nodiscard]] constexpr std::string_view scheme_name(Scheme scheme) {
  return scheme == Scheme::https ? "https" : "http";
}
[[nodiscard]] constexpr std::uint16_t default_port(Scheme scheme) {
  return scheme == Scheme::https ? 443 : 80;
}
// "http", "https", and their WebSocket twins "ws", "wss"; any case.
[[nodiscard]] std::optional<Scheme> parse_scheme(std::string_view text);

// A Host or :authority value.
struct Authority {
  std::string host;  // lower-case; IPv6 in brackets and in RFC 5952's form
  std::optional<std::uint16_t> port;

  bool operator==(const Authority&) const = default;
};
[[nodiscard]] std::optional<Authority> parse_authority(std::string_view text);

// `host` as URIs and Host have it: IPv6 in brackets (RFC 3986 3.2.2). And with a port behind it.
[[nodiscard]] std::string uri_host(std::string_view host);
[[nodiscard]] std::string host_and_port(std::string_view host, std::uint16_t port);

// Is `host`, as parse_authority writes it, an IP literal; is it this machine itself (127/8, ::1, localhost)?
[[nodiscard]] bool is_ip_literal(std::string_view host);
[[nodiscard]] bool is_loopback_host(std::string_view host);

class Origin {
 public:
  Origin(Scheme scheme, std::string host, std::uint16_t port);
  Origin(Scheme scheme, const Authority& authority)
      : Origin(scheme, authority.host, authority.port.value_or(default_port(scheme))) {}

  [[nodiscard]] Scheme scheme() const { return scheme_; }
  [[nodiscard]] const std::string& host() const { return host_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  // "https://api.example.com", ":8443" behind it unless the scheme's default.
  [[nodiscard]] const std::string& text() const { return text_; }
  // The same without "https://": what X-Forwarded-Host carries.
  [[nodiscard]] std::string_view authority() const {
    return std::string_view(text_).substr(scheme_name(scheme_).size() + 3);
  }

  bool operator==(const Origin& other) const { return text_ == other.text_; }

 private:
  Scheme scheme_;
  std::uint16_t port_;
  std::string host_;
  std::string text_;
};

// "https://api.example.com[:port]", nothing behind it but at most one '/'.
[[nodiscard]] std::optional<Origin> parse_origin(std::string_view text);

}  // namespace holdfast::http
