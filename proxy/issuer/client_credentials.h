// What shows an issuer who is asking (RFC 6749 2.3): a client's name with its secret, or with a private key
// that is never sent (private_key_jwt, RFC 7523). Read from files by assembly. Immutable; any thread.
#pragma once

#include <optional>
#include <string>

#include "base/secret.h"
#include "crypto/private_key.h"

namespace holdfast::issuer {

struct ClientCredentials {
  std::string client_id;
  Secret secret = {};                          // for client_secret_basic, where there is no key
  std::optional<crypto::PrivateKey> key = {};  // for private_key_jwt
  std::string kid = {};                        // what the issuer calls the key; empty: nothing
};

}  // namespace holdfast::issuer
