#include "parts/assertion_keys.h"

#include <filesystem>
#include <optional>
#include <utility>

#include "cli/file.h"
#include "settings/node.h"

namespace holdfast::parts {
namespace {

std::expected<crypto::PrivateKey, std::string> read_key(const std::filesystem::path& file) {
  const auto pem = cli::read_secret_file(file, settings::kMaxFileBytes);
  if (!pem) return std::unexpected(pem.error());
  auto key = crypto::PrivateKey::from_pem(pem->reveal());
  if (!key) return std::unexpected(file.string() + ": " + key.error());
  if (key->public_key().type() != crypto::KeyType::kP256) {
    return std::unexpected(file.string() + ": a key that does not fit ES256");
  }
  return key;
}

}  // namespace

std::expected<std::shared_ptr<const pipeline::AssertionSigner>, std::string> make_assertion_signer(
    const settings::Assertion& assertion) {
  auto key = read_key(assertion.key);
  if (!key) return std::unexpected(key.error());
  std::optional<crypto::PrivateKey> previous;
  if (assertion.previous_key) {
    auto read = read_key(*assertion.previous_key);
    if (!read) return std::unexpected(read.error());
    previous = *std::move(read);
  }
  return std::make_shared<const pipeline::AssertionSigner>(
      pipeline::AssertionSigner::Settings{
          .header = assertion.header, .issuer = assertion.issuer, .lifetime = assertion.lifetime},
      *std::move(key), previous);
}

}  // namespace holdfast::parts
