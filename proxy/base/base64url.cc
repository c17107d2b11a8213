// base64url, strict: see the header.
#include "base/base64url.h"

#include <array>

namespace holdfast {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kInvalid = 0xFF;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kInvalid);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::string base64url_encode(std::span<const std::uint8_t> bytes) {
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const std::uint8_t byte : bytes) {
    bits = (bits << 8) | byte;
    count += 8;
    while (count >= 6) {
      count -= 6;
      text.push_back(kAlphabet[(bits >> count) & 0x3F]);
    }
  }
  if (count > 0) text.push_back(kAlphabet[(bits << (6 - count)) & 0x3F]);
  return text;
}

std::optional<std::string> base64url_decode(std::string_view text) {
  // A lone character of a final group holds six bits: no byte at all.
  if (text.size() % 4 == 1) return std::nullopt;
  std::string bytes(text.size() * 3 / 4, '\0');
  char* out = bytes.data();
  const char* at = text.data();
  const char* const whole = at + text.size() / 4 * 4;
  const auto value = [&at](std::size_t i) -> std::uint32_t {
    return kValues[static_cast<unsigned char>(at[i])];
  };
  std::uint32_t invalid = 0;  // gathers the values' high bits, which kInvalid alone has
  for (; at != whole; at += 4, out += 3) {
    const std::uint32_t a = value(0), b = value(1), c = value(2), d = value(3);
    invalid |= a | b | c | d;
    const std::uint32_t bits = a << 18 | b << 12 | c << 6 | d;
    out[0] = static_cast<char>(bits >> 16);
    out[1] = static_cast<char>(bits >> 8);
    out[2] = static_cast<char>(bits);
  }
  if (const std::size_t rest = text.size() % 4; rest != 0) {
    const std::uint32_t a = value(0), b = value(1), c = rest == 3 ? value(2) : 0;
    invalid |= a | b | c;
    const std::uint32_t bits = a << 18 | b << 12 | c << 6;
    out[0] = static_cast<char>(bits >> 16);
    if (rest == 3) out[1] = static_cast<char>(bits >> 8);
    // Stray trailing bits would give one byte string two spellings, and with it one jti or ath two.
    if ((bits & (rest == 3 ? 0xFFU : 0xFFFFU)) != 0) return std::nullopt;
  }
  if ((invalid & 0xC0) != 0) return std::nullopt;
  return bytes;
}

}  // namespace holdfast
