// What is wrong, or doubtful, in a configuration, and where: `holdfast.yaml:12:7: routes[1].acces: unknown
// key`. Plain values; any thread.
#pragma once

#include <string>
#include <string_view>

namespace holdfast::settings {

// Both count from 1, as editors do; the column counts bytes.
struct Mark {
  unsigned line = 1;
  unsigned column = 1;
  auto operator<=>(const Mark&) const = default;
};

struct Problem {
  Mark mark;
  std::string path;  // "routes[1].acces"; empty for the file as a whole
  std::string message;
};

// Text of the file as a message quotes it: without control bytes, cut after 64 bytes and between characters.
[[nodiscard]] std::string quotable(std::string_view text);

// `FILE:LINE:COLUMN: PATH: MESSAGE`
[[nodiscard]] std::string to_string(const Problem& problem, std::string_view file);

}  // namespace holdfast::settings
