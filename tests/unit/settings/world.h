// A machine for the tests: variables and files as they say, nothing of the real one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "settings/load.h"

namespace holdfast::settings {

// Every file is there but those with "absent" in their name; "open" ones can be read by others, "closed" ones
// by nobody.
inline World a_machine(std::map<std::string, std::string, std::less<>> variables = {}) {
  return {[variables](std::string_view name) -> std::optional<std::string> {
            const auto at = variables.find(name);
            return at == variables.end() ? std::nullopt : std::optional<std::string>(at->second);
          },
          [](const std::filesystem::path& path) {
            const std::string name = path.filename().string();
            if (name.contains("absent")) return FileState::kMissing;
            if (name.contains("closed")) return FileState::kUnreadable;
            return name.contains("open") ? FileState::kReadableByOthers : FileState::kPrivate;
          }};
}

inline std::string lines_of(const std::vector<Problem>& problems) {
  std::string out;
  for (const Problem& problem : problems) out += to_string(problem, "").substr(1) + '\n';
  return out;
}

}  // namespace holdfast::settings
