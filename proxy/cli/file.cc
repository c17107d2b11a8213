#include "cli/file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

namespace holdfast::cli {

std::expected<std::string, std::string> read_file(const std::filesystem::path& path, std::size_t limit) {
  const auto reason = [] { return std::generic_category().message(errno); };
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return std::unexpected(reason());
  std::string bytes;
  std::array<char, 65536> block;
  while (bytes.size() < limit) {
    const ssize_t count = read(file, block.data(), std::min(block.size(), limit - bytes.size()));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) {
      auto error = std::unexpected(reason());
      close(file);
      return error;
    }
    if (count == 0) break;
    bytes.append(block.data(), static_cast<std::size_t>(count));
  }
  close(file);
  return bytes;
}

std::expected<Secret, std::string> read_secret_file(const std::filesystem::path& path, std::size_t limit) {
  auto text = read_file(path, limit);
  if (!text) return std::unexpected(path.string() + ": " + text.error());
  return Secret(*std::move(text));
}

}  // namespace holdfast::cli
