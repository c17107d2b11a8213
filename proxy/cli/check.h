// `holdfast check`: every problem of a configuration, for people on stderr or as JSON on stdout.
#pragma once

#include <filesystem>

namespace holdfast::cli {

struct CheckOptions {
  bool online = false;
  bool strict = false;
  bool json = false;
};

// 0 valid, 3 invalid (with `strict`: or warned of), 2 for what is not yet supported.
[[nodiscard]] int check(const std::filesystem::path& file, const CheckOptions& options);

}  // namespace holdfast::cli
