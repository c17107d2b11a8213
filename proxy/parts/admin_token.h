// The bearer token that admin.token_file holds. Start-up and reload only; any thread.
#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "base/secret.h"

namespace holdfast::parts {

// As settings/secret_files.h has it. The error is a sentence without it.
[[nodiscard]] std::expected<Secret, std::string> read_admin_token(const std::filesystem::path& file);

}  // namespace holdfast::parts
