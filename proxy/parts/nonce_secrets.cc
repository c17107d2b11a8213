#include "parts/nonce_secrets.h"

#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include "settings/secret_files.h"

namespace holdfast::parts {

std::expected<std::shared_ptr<const dpop::NonceIssuer>, std::string> nonce_issuer_of(
    std::string_view file_contents, Millis lifetime, dpop::NonceMark mark) {
  auto secrets = settings::nonce_secrets_of(file_contents);
  if (!secrets) return std::unexpected(std::move(secrets.error()));
  return std::make_shared<const dpop::NonceIssuer>(std::move(secrets->current), std::move(secrets->previous),
                                                   lifetime, mark);
}

std::expected<std::shared_ptr<const dpop::NonceIssuer>, std::string> make_nonce_issuer(
    const settings::Nonce& nonce, const Secret& of_process) {
  const dpop::NonceMark mark = dpop::nonce_mark_of(of_process);
  if (!nonce.secret_file) {
    return std::make_shared<const dpop::NonceIssuer>(Secret(std::string(of_process.reveal())), std::nullopt,
                                                     nonce.lifetime, mark);
  }
  std::ifstream in(*nonce.secret_file, std::ios::binary);
  const Secret contents(std::string((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()));
  if (!in) return std::unexpected(nonce.secret_file->string() + ": cannot be read");
  auto issuer = nonce_issuer_of(contents.reveal(), nonce.lifetime, mark);
  if (!issuer) return std::unexpected(nonce.secret_file->string() + ": " + issuer.error());
  return issuer;
}

}  // namespace holdfast::parts
