#include "parts/nonce_secrets.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace holdfast::parts {
namespace {

constexpr std::size_t kShortest = 32;

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return trim_ows(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
}

}  // namespace

std::expected<std::shared_ptr<const dpop::NonceIssuer>, std::string> nonce_issuer_of(
    std::string_view file_contents, Millis lifetime) {
  std::string_view rest = file_contents;
  const std::string_view current = take_line(rest);
  const std::string_view previous = take_line(rest);
  if (current.size() < kShortest || (!previous.empty() && previous.size() < kShortest)) {
    return std::unexpected("a secret has at least 32 characters; `openssl rand -hex 32` makes one");
  }
  if (!trim_ows(rest).empty()) {
    return std::unexpected(
        "expected the current secret on the first line and at most the previous one on the second");
  }
  return std::make_shared<const dpop::NonceIssuer>(
      Secret(std::string(current)),
      previous.empty() ? std::nullopt : std::optional<Secret>(Secret(std::string(previous))), lifetime);
}

std::expected<std::shared_ptr<const dpop::NonceIssuer>, std::string> make_nonce_issuer(
    const settings::Nonce& nonce, const Secret& of_process) {
  if (!nonce.secret_file) {
    return std::make_shared<const dpop::NonceIssuer>(Secret(std::string(of_process.reveal())), std::nullopt,
                                                     nonce.lifetime);
  }
  std::ifstream in(*nonce.secret_file, std::ios::binary);
  const Secret contents(std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
  if (!in) return std::unexpected(nonce.secret_file->string() + ": cannot be read");
  auto issuer = nonce_issuer_of(contents.reveal(), nonce.lifetime);
  if (!issuer) return std::unexpected(nonce.secret_file->string() + ": " + issuer.error());
  return issuer;
}

}  // namespace holdfast::parts
