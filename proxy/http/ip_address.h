// IPv4 and IPv6 addresses and CIDR blocks as bytes, parsed without the platform's resolver and its leniencies
// ("127.1", octal, zone ids): trust is granted by address, so one address has one reading. IPv4-mapped IPv6
// counts as IPv4, since a dual-stack socket reports an IPv4 peer that way. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::http {

class IpAddress {
 public:
  // "192.0.2.1" or "2001:db8::1", without brackets.
  [[nodiscard]] static std::optional<IpAddress> parse(std::string_view text);
  [[nodiscard]] static IpAddress v4(const std::array<std::uint8_t, 4>& bytes);
  [[nodiscard]] static IpAddress v6(const std::array<std::uint8_t, 16>& bytes);

  [[nodiscard]] bool is_v4() const;  // also when it was written ::ffff:192.0.2.1
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] const std::array<std::uint8_t, 16>& bytes() const {
    return bytes_;
  }  // IPv4 as ::ffff:a.b.c.d
  // Dotted quad, or RFC 5952's form without brackets.
  [[nodiscard]] std::string text() const;
  // RFC 5952's form for IPv4 too ("::ffff:c000:201"): what a bracketed host is written as.
  [[nodiscard]] std::string text_as_v6() const;

  bool operator==(const IpAddress&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

// A block of addresses. IPv4 blocks hold IPv4 addresses only, mapped ones included.
class Cidr {
 public:
  // "10.0.0.0/8", "fd00::/8", or a lone address. Bits beyond the prefix must be zero: "10.0.0.1/8" is a slip.
  [[nodiscard]] static std::optional<Cidr> parse(std::string_view text);
  [[nodiscard]] bool contains(const IpAddress& address) const;

 private:
  Cidr(const IpAddress& base, unsigned prefix) : base_(base), prefix_(prefix) {}
  IpAddress base_;
  unsigned prefix_;  // of 128
};

[[nodiscard]] bool any_contains(const std::vector<Cidr>& blocks, const IpAddress& address);

}  // namespace holdfast::http
