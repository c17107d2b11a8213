// The compact serialization of a JWS (RFC 7515 7.1), taken apart but not verified:
//
//   JWS = segment "." segment "." segment      segment = 1*( ALPHA / DIGIT / "-" / "_" )
//
// Each segment is strict base64url, checked when it is decoded. What header and payload mean is left to dpop/
// and token/. Pure; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace holdfast::jose {

inline constexpr std::size_t kMaxProofSize = 8 * 1024;
inline constexpr std::size_t kMaxTokenSize = 16 * 1024;

// Views into the text that it was split from.
struct CompactJws {
  std::string_view header;
  std::string_view payload;
  std::string_view signature;
  std::string_view signing_input;  // header "." payload
};

[[nodiscard]] std::expected<CompactJws, std::string> split_compact(std::string_view text,
                                                                   std::size_t max_size);

}  // namespace holdfast::jose
