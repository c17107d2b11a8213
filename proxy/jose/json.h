// Strict JSON (RFC 8259 as RFC 7515 section 4 narrows it): one object, valid UTF-8, no member name twice at
// any level, a bounded depth, finite numbers, nothing after it. Boost.JSON by itself keeps the last of two
// equal names, and two readers of one token that disagree about a name are an attack. What the members mean
// is left to the callers. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/storage_ptr.hpp>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::jose {

inline constexpr std::size_t kMaxJsonDepth = 8;

// The object, allocated from `storage`, which may be a monotonic resource on the caller's stack. The error
// names the flaw, and quotes nothing of the text but a repeated member's name.
[[nodiscard]] std::expected<boost::json::object, std::string> parse_json_object(
    std::string_view text, boost::json::storage_ptr storage = {}, std::size_t max_depth = kMaxJsonDepth);

// A member that is a string; nothing where it is missing or is something else.
[[nodiscard]] std::optional<std::string_view> string_member(const boost::json::object& object,
                                                            std::string_view name);

// A NumericDate (RFC 7519 section 2): seconds, maybe with a fraction, within 2^53 either side. In
// milliseconds, rounded down.
[[nodiscard]] std::optional<std::int64_t> numeric_date_ms(const boost::json::value& value);

}  // namespace holdfast::jose
