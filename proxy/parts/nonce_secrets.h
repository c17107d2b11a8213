// The secrets that nonces are made with, from `dpop.nonce.secret_file` or, without one, of this process
// alone. Start-up and reload only; any thread.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "base/secret.h"
#include "dpop/nonce.h"
#include "settings/model.h"

namespace holdfast::parts {

// Of a secret file, as settings/secret_files.h has it. The error is a sentence without a secret.
[[nodiscard]] std::expected<std::shared_ptr<const dpop::NonceIssuer>, std::string> nonce_issuer_of(
    std::string_view file_contents, Millis lifetime, dpop::NonceMark mark = {});

// From the settings' file, read anew, or with the secret `of_process`, which outlives every reload. Either
// way `of_process` marks its nonces.
[[nodiscard]] std::expected<std::shared_ptr<const dpop::NonceIssuer>, std::string> make_nonce_issuer(
    const settings::Nonce& nonce, const Secret& of_process);

}  // namespace holdfast::parts
