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
  const auto lower = static_cast<std::uint64_t>(least);
  const auto upper = static_cast<std::uint64_t>(most);
  auto value = scalar(
      [lower, upper](std::string_view text) -> Parsed<Whole> {
        const auto parsed = parse_whole(text, lower, upper);
        if (!parsed) return std::unexpected(parsed.error());
        return static_cast<Whole>(*parsed);
      },
      whole_schema(lower, upper));
  value.write = [](const Whole& written) { return boost::json::value(std::uint64_t{written}); };
  return value;
}

[[nodiscard]] Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most);
// `auto`, which is nullopt, or a size.
[[nodiscard]] Value<std::optional<std::uint64_t>> size_or_auto(std::uint64_t least, std::uint64_t most);
// `unlimited`, or a size; 0 is no body at all.
[[nodiscard]] Value<std::uint64_t> size_or_unlimited();
[[nodiscard]] Value<double> share();
[[nodiscard]] Value<Address> address();
[[nodiscard]] Value<Cidr> address_range();
[[nodiscard]] Value<Origin> origin();
// Of a page, as a browser writes it in Origin; or kAnyOrigin.
[[nodiscard]] Value<std::string> page_origin();
// The URL as it was written, once it is known to be one.
[[nodiscard]] Value<std::string> url();
// The JOSE name of a signature algorithm that this program verifies.
[[nodiscard]] Value<std::string> algorithm();
[[nodiscard]] Value<Audiences> audiences();
// Of a backend: http, https or h2c.
[[nodiscard]] Value<Origin> server_url();
[[nodiscard]] Value<std::string> host_pattern();
[[nodiscard]] Value<std::string> path_pattern();
// Without a wildcard; `expected` stands after "must be".
[[nodiscard]] Value<std::string> plain_host(std::string expected);
// A header's name (RFC 9110 5.6.2); `expected` stands after "must be".
[[nodiscard]] Value<std::string> field_name(std::string expected = "a header name");
// A header's name, or off; "" is how the model says that a header is not sent.
[[nodiscard]] Value<std::string> header_name();
[[nodiscard]] Value<NonceMode> nonce_mode();

}  // namespace holdfast::settings
