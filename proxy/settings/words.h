// The forms of single values: sizes, times, shares, addresses, URLs, hosts, header names. Each parser takes
// the text of a scalar; its error is what the text had to be, to stand after "must be". Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "settings/model.h"

namespace holdfast::settings {

template <class T>
using Parsed = std::expected<T, std::string>;

// 1*DIGIT, within the bounds.
[[nodiscard]] Parsed<std::uint64_t> parse_whole(std::string_view text, std::uint64_t least,
                                                std::uint64_t most);
// 1*DIGIT [ "KiB" / "MiB" ]; bytes without a unit.
[[nodiscard]] Parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t least,
                                               std::uint64_t most);
// 1*DIGIT ( "ms" / "s" / "m" / "h" ).
[[nodiscard]] Parsed<std::chrono::milliseconds> parse_time(std::string_view text,
                                                           std::chrono::milliseconds least,
                                                           std::chrono::milliseconds most);
// 1*DIGIT [ "." 1*DIGIT ] "%", more than 0 and at most 100. The value is in (0, 1].
[[nodiscard]] Parsed<double> parse_share(std::string_view text);
inline constexpr std::size_t kLongestShare = 16;
// As a configuration would say them: "64KiB", "5m", "10%".
[[nodiscard]] std::string size_words(std::uint64_t bytes);
[[nodiscard]] std::string time_words(std::chrono::milliseconds time);
[[nodiscard]] std::string share_words(double share);
// ":PORT", "HOST:PORT" with an IPv4 address or a name, "[IPV6]:PORT".
[[nodiscard]] Parsed<Address> parse_address(std::string_view text);
// scheme "://" host [ ":" port ] [ "/" ], scheme http or https: an origin, no path.
[[nodiscard]] Parsed<Origin> parse_origin(std::string_view text);
// An absolute http or https URL with no userinfo, query or fragment. The text itself is kept: an `iss` is
// compared byte for byte. The origin in it says where a fetch would go.
[[nodiscard]] Parsed<Origin> parse_url(std::string_view text);
// ADDRESS [ "/" LENGTH ], IPv4 or IPv6.
[[nodiscard]] Parsed<Cidr> parse_cidr(std::string_view text);

// A host name, "*." and a host name, or an address ([...] for IPv6). The value is in lower case, without
// brackets.
[[nodiscard]] Parsed<std::string> parse_host_pattern(std::string_view text);
[[nodiscard]] Parsed<std::string> parse_path_pattern(std::string_view text);
// RFC 9110 5.6.2 token.
[[nodiscard]] bool is_token(std::string_view text);
// RFC 6749 3.3 scope-token.
[[nodiscard]] bool is_scope(std::string_view text);

// localhost, *.localhost, 127.0.0.0/8, ::1.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace holdfast::settings
