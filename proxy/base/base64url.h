// base64url of RFC 4648 section 5 as RFC 7515 section 2 wants it: no padding, no whitespace, and, when
// decoding, no stray trailing bits, so that no two texts mean the same bytes. Pure; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast {

[[nodiscard]] std::string base64url_encode(std::span<const std::uint8_t> bytes);

// Nothing for any text that base64url_encode could not have written. The empty text is the empty string.
[[nodiscard]] std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace holdfast
