// Addresses and blocks: see the header.
#include "http/ip_address.h"

#include <algorithm>
#include <cstddef>

#include "base/ascii.h"

namespace holdfast::http {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

// dec-octet "." dec-octet "." dec-octet "." dec-octet, without leading zeros: "010" is eight to some and ten
// to others.
bool parse_dotted_quad(std::string_view text, std::uint8_t* out) {
  for (int octet = 0; octet < 4; ++octet) {
    std::size_t digits = 0;
    unsigned value = 0;
    while (digits < text.size() && digits < 4 && is_digit(text[digits])) {
      value = value * 10 + static_cast<unsigned>(text[digits] - '0');
      ++digits;
    }
    if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
    out[octet] = static_cast<std::uint8_t>(value);
    text.remove_prefix(digits);
    if (octet < 3) {
      if (text.empty() || text[0] != '.') return false;
      text.remove_prefix(1);
    }
  }
  return text.empty();
}

// RFC 4291 2.2: eight groups of one to four hex digits, one run of them as "::", the last two as a dotted
// quad.
bool parse_groups(std::string_view text, std::array<std::uint8_t, 16>& bytes) {
  std::size_t filled = 0;
  std::optional<std::size_t> gap;
  if (text.starts_with("::")) {
    gap = 0;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    if (filled == 16) return false;
    const std::size_t end = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, end);
    if (end == text.size() && group.contains('.')) {
      if (filled > 12 || !parse_dotted_quad(group, bytes.data() + filled)) return false;
      filled += 4;
      break;
    }
    if (group.empty() || group.size() > 4) return false;
    unsigned value = 0;
    for (const char c : group) {
      const int digit = hex_value(c);
      if (digit < 0) return false;
      value = value << 4 | static_cast<unsigned>(digit);
    }
    bytes[filled++] = static_cast<std::uint8_t>(value >> 8);
    bytes[filled++] = static_cast<std::uint8_t>(value & 0xFF);
    text.remove_prefix(end);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return false;  // a lone ':' at the end
    if (text[0] == ':') {
      if (gap) return false;
      gap = filled;
      text.remove_prefix(1);
    }
  }
  if (!gap) return filled == 16;
  if (filled > 14) return false;  // "::" stands for one group at least
  std::copy_backward(bytes.begin() + static_cast<std::ptrdiff_t>(*gap),
                     bytes.begin() + static_cast<std::ptrdiff_t>(filled), bytes.end());
  std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(*gap), 16 - filled, std::uint8_t{0});
  return true;
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  IpAddress address;
  if (text.contains(':')) {
    if (!parse_groups(text, address.bytes_)) return std::nullopt;
    return address;
  }
  std::array<std::uint8_t, 4> quad{};
  if (!parse_dotted_quad(text, quad.data())) return std::nullopt;
  return v4(quad);
}

IpAddress IpAddress::v4(const std::array<std::uint8_t, 4>& bytes) {
  IpAddress address;
  std::ranges::copy(kMappedPrefix, address.bytes_.begin());
  std::ranges::copy(bytes, address.bytes_.begin() + 12);
  return address;
}

IpAddress IpAddress::v6(const std::array<std::uint8_t, 16>& bytes) {
  IpAddress address;
  address.bytes_ = bytes;
  return address;
}

bool IpAddress::is_v4() const {
  return std::equal(kMappedPrefix.begin(), kMappedPrefix.end(), bytes_.begin());
}

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes_[12] == 127;
  return std::all_of(bytes_.begin(), bytes_.begin() + 15, [](std::uint8_t byte) { return byte == 0; }) &&
         bytes_[15] == 1;
}

std::string IpAddress::text() const {
  if (!is_v4()) return text_as_v6();
  std::string text;
  for (std::size_t i = 12; i < 16; ++i) {
    if (i > 12) text += '.';
    text += std::to_string(bytes_[i]);
  }
  return text;
}

std::string IpAddress::text_as_v6() const {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i)
    groups[i] = static_cast<unsigned>(bytes_[2 * i] << 8 | bytes_[2 * i + 1]);
  // RFC 5952 4.2: the longest run of two or more zero groups, the first of equals, becomes "::".
  std::size_t run_start = 8;
  std::size_t run_length = 1;
  for (std::size_t i = 0; i < 8;) {
    std::size_t end = i;
    while (end < 8 && groups[end] == 0) ++end;
    if (end - i > run_length) {
      run_start = i;
      run_length = end - i;
    }
    i = std::max(end, i + 1);
  }
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (i == run_start) {
      text += "::";
      i += run_length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
      const unsigned digit = groups[i] >> shift & 0xF;
      started = started || digit != 0 || shift == 0;
      if (started) text += "0123456789abcdef"[digit];
    }
  }
  return text;
}

std::optional<Cidr> Cidr::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto base = IpAddress::parse(text.substr(0, slash));
  if (!base) return std::nullopt;
  const bool dotted = !text.substr(0, slash).contains(':');
  unsigned prefix = 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    if (digits.empty() || digits.size() > 3 || (digits.size() > 1 && digits[0] == '0')) return std::nullopt;
    prefix = 0;
    for (const char c : digits) {
      if (!is_digit(c)) return std::nullopt;
      prefix = prefix * 10 + static_cast<unsigned>(c - '0');
    }
    if (prefix > (dotted ? 32U : 128U)) return std::nullopt;
    if (dotted) prefix += 96;
  }
  for (unsigned bit = prefix; bit < 128; ++bit) {
    if ((base->bytes()[bit / 8] >> (7 - bit % 8) & 1) != 0) return std::nullopt;
  }
  return Cidr(*base, prefix);
}

bool Cidr::contains(const IpAddress& address) const {
  // "::/0" means every IPv6 peer; that IPv4 is kept inside ::ffff:0:0/96 here is our affair, not the
  // author's.
  if (prefix_ < 96 && address.is_v4()) return false;
  const unsigned whole = prefix_ / 8;
  if (!std::equal(base_.bytes().begin(), base_.bytes().begin() + whole, address.bytes().begin()))
    return false;
  const unsigned rest = prefix_ % 8;
  if (rest == 0) return true;
  return (base_.bytes()[whole] ^ address.bytes()[whole]) >> (8 - rest) == 0;
}

bool any_contains(const std::vector<Cidr>& blocks, const IpAddress& address) {
  return std::ranges::any_of(blocks, [&](const Cidr& block) { return block.contains(address); });
}

}  // namespace holdfast::http
