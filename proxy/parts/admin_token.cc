#include "parts/admin_token.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"
#include "cli/file.h"

namespace holdfast::parts {
namespace {

constexpr std::size_t kShortest = 16;
constexpr std::size_t kLongest = 1024;

bool is_token_octet(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("-._~+/=").contains(c);
}

}  // namespace

std::expected<Secret, std::string> read_admin_token(const std::filesystem::path& file) {
  const auto contents = cli::read_secret_file(file, kLongest + 2);
  if (!contents) return std::unexpected(contents.error());
  std::string_view line = contents->reveal();
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() < kShortest || line.size() > kLongest || !std::ranges::all_of(line, is_token_octet)) {
    return std::unexpected(file.string() +
                           ": expected one line of 16 to 1024 letters, digits and -._~+/=; "
                           "`openssl rand -hex 32` makes one");
  }
  return Secret(std::string(line));
}

}  // namespace holdfast::parts
