// A small file, read whole. Blocking; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

#include "base/secret.h"

namespace holdfast::cli {

// At most `limit` bytes; what lies beyond is left unread. The error is the system's word for it.
[[nodiscard]] std::expected<std::string, std::string> read_file(const std::filesystem::path& path,
                                                                std::size_t limit);

// The same for what nobody else may see. The error names the file.
[[nodiscard]] std::expected<Secret, std::string> read_secret_file(const std::filesystem::path& path,
                                                                  std::size_t limit);

}  // namespace holdfast::cli
