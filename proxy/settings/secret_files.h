// What the files of secrets have to hold, for the check of a configuration and for whoever reads them to use
// them. Pure; each error is a sentence without a word of the secret.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret.h"

namespace holdfast::settings {

// dpop.nonce.secret_file: the current secret on its first line and, while clients still hold nonces made with
// it, the previous one on its second. Each has at least 32 characters.
struct NonceSecrets {
  Secret current;
  std::optional<Secret> previous;
};
[[nodiscard]] std::expected<NonceSecrets, std::string> nonce_secrets_of(std::string_view contents);

// admin.token_file: one line of at least 16 characters of RFC 6750's b64token.
inline constexpr std::size_t kLongestAdminToken = 1024;
[[nodiscard]] std::expected<Secret, std::string> admin_token_of(std::string_view contents);

}  // namespace holdfast::settings
