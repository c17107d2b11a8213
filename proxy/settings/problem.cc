#include "settings/problem.h"

#include <algorithm>
#include <cstddef>

namespace holdfast::settings {

std::string quotable(std::string_view text) {
  constexpr std::size_t kShown = 64;
  std::size_t end = std::min(text.size(), kShown);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  std::string out;
  for (const char c : text.substr(0, end)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  return out + (end < text.size() ? "..." : "");
}

std::string to_string(const Problem& problem, std::string_view file) {
  std::string line(file);
  line += ':' + std::to_string(problem.mark.line) + ':' + std::to_string(problem.mark.column) + ": ";
  if (!problem.path.empty()) line += problem.path + ": ";
  return line + problem.message;
}

}  // namespace holdfast::settings
