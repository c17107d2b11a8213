// Where this build's source and the public vectors are. Asked at run time and defined in one file, so that no
// test has a folder of this machine compiled in and a compiler cache serves every checkout.
#pragma once

#include <filesystem>

namespace holdfast::support {

// The repository.
[[nodiscard]] const std::filesystem::path& source_folder();
// ../shared/vectors, or what -DHOLDFAST_VECTORS= says; may be missing.
[[nodiscard]] const std::filesystem::path& vectors_folder();
// The `holdfast` of this build.
[[nodiscard]] const std::filesystem::path& holdfast_binary();

}  // namespace holdfast::support
