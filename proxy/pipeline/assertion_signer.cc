#include "pipeline/assertion_signer.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/base64url.h"
#include "jose/jwk.h"

namespace holdfast::pipeline {

AssertionSigner::AssertionSigner(Settings settings, crypto::PrivateKey key,
                                 const std::optional<crypto::PrivateKey>& previous)
    : settings_(std::move(settings)),
      key_(std::move(key)),
      head_(identity::assertion_header(jose::thumbprint(key_.public_key())) + '.') {
  std::vector<const crypto::PublicKey*> keys{&key_.public_key()};
  if (previous) keys.push_back(&previous->public_key());
  key_set_ = identity::assertion_key_set(keys);
}

std::expected<std::string, std::string> AssertionSigner::sign(const token::AccessToken& token,
                                                              std::string_view audience, std::string_view jkt,
                                                              UnixTime now, UnixTime not_after) const {
  std::string assertion =
      head_ + identity::assertion_payload({.issuer = settings_.issuer,
                                           .audience = audience,
                                           .token = &token,
                                           .jkt = jkt,
                                           .issued = now,
                                           .expires = std::min(now + settings_.lifetime, not_after)});
  auto signature = key_.sign(crypto::SignatureAlgorithm::kEcdsaP256Sha256, assertion);
  if (!signature) return signature;
  assertion += '.';
  assertion +=
      base64url_encode({reinterpret_cast<const std::uint8_t*>(signature->data()), signature->size()});
  return assertion;
}

}  // namespace holdfast::pipeline
