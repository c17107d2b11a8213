#include "settings/problem.h"

namespace holdfast::settings {

std::string to_string(const Problem& problem, std::string_view file) {
  std::string line(file);
  line += ':' + std::to_string(problem.mark.line) + ':' + std::to_string(problem.mark.column) + ": ";
  if (!problem.path.empty()) line += problem.path + ": ";
  return line + problem.message;
}

}  // namespace holdfast::settings
