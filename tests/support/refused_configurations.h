// The configurations of tests/unit/settings/refused.txt: each stands behind one of the valid beginnings of
// beginnings.txt, with the lines that `holdfast check` has to say of it.
#pragma once

#include <string>
#include <vector>

namespace holdfast::support {

struct RefusedConfiguration {
  std::string beginning;  // its name
  std::string fragment;
  std::vector<std::string> lines;  // LINE:COLUMN: PATH: MESSAGE; none: it is taken

  [[nodiscard]] std::string text() const;
};

[[nodiscard]] std::vector<RefusedConfiguration> refused_configurations();
// Throws std::out_of_range where there is none of that name.
[[nodiscard]] std::string beginning_of_configurations(const std::string& name);

}  // namespace holdfast::support
