#include "settings/secret_files.h"

#include <algorithm>

#include "base/ascii.h"

namespace holdfast::settings {
namespace {

constexpr std::size_t kShortestNonceSecret = 32;
constexpr std::size_t kShortestAdminToken = 16;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trim_ows(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
}

bool is_token_octet(char c) {
  return is_alpha(c) || is_digit(c) || std::string_view("-._~+/=").contains(c);
}

}  // namespace

std::expected<NonceSecrets, std::string> nonce_secrets_of(std::string_view contents) {
  const std::string_view current = take_line(contents);
  const std::string_view previous = take_line(contents);
  const auto is_short = [](std::string_view secret) { return secret.size() < kShortestNonceSecret; };
  if (is_short(current) || (!previous.empty() && is_short(previous))) {
    return std::unexpected(
        "holds no secret of at least 32 characters a line; `openssl rand -hex 32` makes one");
  }
  if (!trim_ows(contents).empty())
    return std::unexpected("holds more than the current secret and, on its second line, the previous one");
  NonceSecrets out{Secret(std::string(current)), std::nullopt};
  if (!previous.empty()) out.previous.emplace(std::string(previous));
  return out;
}

std::expected<Secret, std::string> admin_token_of(std::string_view contents) {
  while (contents.ends_with('\n') || contents.ends_with('\r')) contents.remove_suffix(1);
  if (contents.size() < kShortestAdminToken || contents.size() > kLongestAdminToken ||
      !std::ranges::all_of(contents, is_token_octet)) {
    return std::unexpected(
        "holds no token: one line of 16 to 1024 letters, digits and -._~+/=; `openssl rand -hex 32` makes "
        "one");
  }
  return Secret(std::string(contents));
}

}  // namespace holdfast::settings
