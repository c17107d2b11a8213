// More than 200 configurations that are broken in every way that files get broken: cut off, of wrong types,
// with what YAML has and Holdfast does not take, too large, too deep, of bytes that are no text. The same at
// every run. Each is made when it is asked for, since some are 50 MiB.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::support {

struct DamagedConfiguration {
  std::string name;
  std::function<std::string()> text;
  // Where the first mistake stands in the file; 0: nowhere in particular, or more than one place would do.
  unsigned line = 0;
};

// `whole` is a valid configuration that has every key (config/reference.yaml).
[[nodiscard]] std::vector<DamagedConfiguration> damaged_configurations(std::string_view whole);

}  // namespace holdfast::support
