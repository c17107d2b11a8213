#include "parts/client_credentials.h"

#include <filesystem>
#include <utility>

#include "cli/file.h"
#include "settings/node.h"
#include "token/introspection_request.h"

namespace holdfast::parts {

std::expected<std::shared_ptr<const issuer::ClientCredentials>, std::string> read_client_credentials(
    const settings::Introspection& introspection) {
  const bool by_key = introspection.auth == settings::ClientAuthentication::kPrivateKeyJwt;
  const std::filesystem::path& file = by_key ? *introspection.key_file : *introspection.client_secret_file;
  const auto text = cli::read_secret_file(file, settings::kMaxFileBytes);
  if (!text) return std::unexpected(text.error());
  issuer::ClientCredentials credentials{.client_id = introspection.client_id, .kid = introspection.kid};
  if (by_key) {
    auto key = crypto::PrivateKey::from_pem(text->reveal());
    if (!key) return std::unexpected(file.string() + ": " + key.error());
    credentials.key = std::move(*key);
  } else {
    auto secret = token::client_secret_of(text->reveal());
    if (!secret) return std::unexpected(file.string() + ": " + secret.error());
    credentials.secret = std::move(*secret);
  }
  return std::make_shared<const issuer::ClientCredentials>(std::move(credentials));
}

}  // namespace holdfast::parts
