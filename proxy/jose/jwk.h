// A public JSON Web Key (RFC 7517, RFC 7518 6, RFC 8037 2) read from an object, written again, and its RFC
// 7638 thumbprint. Which keys of a set may sign is jwk_set.h's. Pure; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "crypto/digest.h"
#include "crypto/public_key.h"
#include "jose/algorithm.h"

namespace holdfast::jose {

struct JwkFlaw {
  // A private member: the key is no secret any more, and its sender has to hear that rather than "malformed".
  bool is_private = false;
  std::string what;
};

// Any member that RFC 7518 and RFC 8037 don't know is ignored.
[[nodiscard]] std::expected<crypto::PublicKey, JwkFlaw> parse_public_jwk(const boost::json::object& jwk,
                                                                         crypto::RsaBounds bounds);

// The required members alone, in lexicographic order, without whitespace: what RFC 7638 3.1 hashes, and a
// valid JWK.
[[nodiscard]] std::string canonical_jwk(const crypto::PublicKey& key);

// SHA-256(canonical_jwk), and its base64url of 43 characters: `jkt`.
[[nodiscard]] crypto::Digest256 thumbprint_digest(const crypto::PublicKey& key);
[[nodiscard]] std::string thumbprint(const crypto::PublicKey& key);

}  // namespace holdfast::jose
