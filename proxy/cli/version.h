// `holdfast version`: what is running, down to the libraries it found at run time.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::cli {

[[nodiscard]] std::string_view program_version();
// Of the source it was built from; "unknown" outside a git checkout.
[[nodiscard]] std::string_view program_commit();
[[nodiscard]] std::vector<std::pair<std::string, std::string>> library_versions();

[[nodiscard]] int version(bool json);

}  // namespace holdfast::cli
