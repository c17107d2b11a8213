// The normal form of a request's path and of an absolute URI: RFC 3986 6.2.2 and 6.2.3, and nothing more. The
// form made here on arrival is what routes match, what `htu` is compared with and what the backend receives,
// so that the three cannot disagree. Path case, a trailing slash, `//` and `%2F` count; looser readings are
// http/path_readings.h's.
//   target = path [ "?" query ]      path = 1*( "/" segment )      no fragment, no byte outside 0x21-0x7E
// Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/reason.h"

namespace holdfast::http {

struct Target {
  std::string_view path;   // normal form, begins with '/'
  std::string_view query;  // as it came: empty, or begins with '?'
};

// The normal form of an origin-form target ("/a/b?c"; an empty path, as an absolute target may have, is "/").
// The views point into `target`, or into `arena` where the path had to be rewritten: a target that is normal
// already costs one scan. Refuses with request_malformed: a path that climbs above the root, `%` without two
// hex digits, `%00`, a fragment, a space, control or 8-bit byte anywhere, and everything that does not begin
// with '/' (so also "*").
[[nodiscard]] Checked<Target> normalize_target(std::string_view target, Arena& arena);

// The same for a path alone (no query), as a string: for configuration and for `htu`.
[[nodiscard]] Checked<std::string> normalize_path(std::string_view path);

// "https://host[:port]/path" of an absolute http(s) or ws(s) URI, query and fragment dropped, default port
// dropped, ws and wss written as http and https. Nothing for a relative reference, another scheme, userinfo,
// an odd host or port, or a path that normalize_target would refuse.
[[nodiscard]] std::optional<std::string> normalize_absolute_uri(std::string_view uri);

}  // namespace holdfast::http
