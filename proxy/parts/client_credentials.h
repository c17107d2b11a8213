// What this program shows an issuer that it asks about tokens, from the files that the settings name.
// Start-up and reload only; any thread.
#pragma once

#include <expected>
#include <memory>
#include <string>

#include "issuer/client_credentials.h"
#include "settings/model.h"

namespace holdfast::parts {

// Where the mode is not off. The error is a sentence that names the file and nothing in it.
[[nodiscard]] std::expected<std::shared_ptr<const issuer::ClientCredentials>, std::string>
read_client_credentials(const settings::Introspection& introspection);

}  // namespace holdfast::parts
