// The looser readings of a normal path: what a backend may take it for that decodes again, takes overlong or
// fullwidth bytes for ASCII or '\' for '/', drops ";params", tabs and line ends, merges slashes, takes "//x"
// for a host, removes dot segments, drops dots and spaces at the end of a name as Windows does, ignores case
// or a trailing slash, or cuts at a decoded '?', '#' or NUL; in any order and combination. The router refuses
// a request where a looser reading leads to another route: /public/..%2fadmin, //x/admin, /a/..;/admin,
// /Admin, /admin., /%252e%252e/admin. Pure; any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::http {

// More distinct readings than this, or more bytes in all of them, and the path is hostile: refuse it.
inline constexpr std::size_t kMaxPathReadings = 64;
inline constexpr std::size_t kMaxPathReadingBytes = 64 * 1024;

// Has `path` (in normal form) any reading but itself? One scan; no for an ordinary lower-case path.
[[nodiscard]] bool has_looser_readings(std::string_view path);

struct PathReadings {
  std::vector<std::string> paths;  // all but the path itself, each once; each begins with '/'
  bool complete = true;            // false: a limit was reached
};
[[nodiscard]] PathReadings looser_readings(std::string_view path);

// What a normal path cannot show any more, because its dot segments are gone: readers that merge slashes or
// drop
// ";params" before they remove those end elsewhere (/public//../admin, /public/;/../admin). `sent` is the
// path as it came. Each reading in normal form; nothing where one of them climbs above the root.
[[nodiscard]] std::optional<std::vector<std::string>> readings_before_dots(std::string_view sent);

// The one reading that ignores case and trailing slashes; what a route's pattern is folded with, too.
[[nodiscard]] std::string fold_path(std::string_view path);

}  // namespace holdfast::http
