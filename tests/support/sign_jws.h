// Makes signed compact JWS and keys for tests: the honest client, and with odd headers or claims the
// dishonest one.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>

#include "base/base64url.h"
#include "crypto/private_key.h"
#include "jose/algorithm.h"
#include "jose/jwk.h"

namespace holdfast::testing {

inline std::string b64(std::string_view bytes) {
  return base64url_encode(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

// One key of each kind for the whole process; `which` gives others.
inline const crypto::PrivateKey& key_for(jose::Algorithm alg, int which = 0) {
  static std::map<std::pair<crypto::KeyType, int>, crypto::PrivateKey> keys;
  const crypto::SignatureAlgorithm signature = jose::row_of(alg).signature;
  for (const auto& [id, key] : keys) {
    if (id.second == which && crypto::fits(signature, id.first)) return key;
  }
  auto key = crypto::PrivateKey::generate(signature).value();
  const crypto::KeyType type = key.public_key().type();
  return keys.emplace(std::pair(type, which), std::move(key)).first->second;
}

inline std::string sign_jws(std::string_view header, std::string_view payload, jose::Algorithm alg,
                            const crypto::PrivateKey& key) {
  const std::string input = b64(header) + "." + b64(payload);
  return input + "." + b64(key.sign(jose::row_of(alg).signature, input).value());
}
inline std::string sign_jws(std::string_view header, std::string_view payload, jose::Algorithm alg) {
  return sign_jws(header, payload, alg, key_for(alg));
}

}  // namespace holdfast::testing
