// The forms of single values that several sections of the configuration share, as Values (shape.h) over the
// parsers of words.h. Immutable after construction; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "settings/draft.h"
#include "settings/shape.h"
#include "settings/words.h"

namespace holdfast::settings {

inline constexpr milliseconds kMillisecond{1};
inline constexpr milliseconds kSecond{1'000};
inline constexpr milliseconds kHour{3'600'000};
inline constexpr milliseconds kYear{8'760 * kHour};

[[nodiscard]] Value<milliseconds> time(milliseconds least = kMillisecond, milliseconds most = kYear);

template <class Whole>
[[nodiscard]] Value<Whole> whole(Whole least, Whole most) {
  return converted(number([least, most](std::string_view text) {
                     return parse_whole(text, static_cast<std::uint64_t>(least),
                                        static_cast<std::uint64_t>(most));
                   }),
                   [](std::uint64_t value) { return static_cast<Whole>(value); });
}

[[nodiscard]] Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most);
// `unlimited`, or a size; 0 is no body at all.
[[nodiscard]] Value<std::uint64_t> size_or_unlimited();
// The URL as it was written, once it is known to be one.
[[nodiscard]] Value<std::string> url();
// The JOSE name of a signature algorithm that this program verifies.
[[nodiscard]] Value<std::string> algorithm();
[[nodiscard]] Value<Audiences> audiences();
// Of a backend: http, https or h2c.
[[nodiscard]] Value<Origin> server_url();
[[nodiscard]] Value<std::string> path_pattern();
// Without a wildcard; `expected` stands after "must be".
[[nodiscard]] Value<std::string> plain_host(std::string expected);
// A header's name (RFC 9110 5.6.2); `expected` stands after "must be".
[[nodiscard]] Value<std::string> field_name(std::string expected = "a header name");
// A header's name, or off; "" is how the model says that a header is not sent.
[[nodiscard]] Value<std::string> header_name();
[[nodiscard]] Value<NonceMode> nonce_mode();

}  // namespace holdfast::settings
