// SHA-256, HMAC-SHA-256 and comparison in constant time, over OpenSSL with the algorithm fetched once: in
// OpenSSL 3.0 a fetch per call costs more than hashing a token does. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::crypto {

using Digest256 = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest256 sha256(std::string_view bytes);
// Over the parts put together. Nothing marks where one ends: a caller whose parts vary in length writes the
// lengths too.
[[nodiscard]] Digest256 sha256(std::span<const std::string_view> parts);

// For the WebSocket handshake (RFC 6455 1.3) and nothing else: it proves no secret there.
[[nodiscard]] std::array<std::uint8_t, 20> sha1(std::string_view bytes);

// RFC 2104 with SHA-256.
[[nodiscard]] Digest256 hmac_sha256(std::string_view key, std::string_view message);

// Whether the bytes are equal, in a time that depends on their number alone, so that nobody guesses a secret
// byte by byte.
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);

[[nodiscard]] inline std::string_view as_text(std::span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace holdfast::crypto
