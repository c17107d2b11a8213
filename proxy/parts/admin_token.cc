#include "parts/admin_token.h"

#include "cli/file.h"
#include "settings/secret_files.h"

namespace holdfast::parts {

std::expected<Secret, std::string> read_admin_token(const std::filesystem::path& file) {
  const auto contents = cli::read_secret_file(file, settings::kLongestAdminToken + 3);  // and a line's end
  if (!contents) return std::unexpected(contents.error());
  auto token = settings::admin_token_of(contents->reveal());
  if (!token) return std::unexpected(file.string() + ": " + token.error());
  return token;
}

}  // namespace holdfast::parts
