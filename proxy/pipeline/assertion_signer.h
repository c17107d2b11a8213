// Signs the identity that a backend gets (identity/assertion.h) with the key of `identity.assertion`, ES256.
// One is made for each configuration; immutable, so all workers share it.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/private_key.h"
#include "identity/assertion.h"

namespace holdfast::pipeline {

class AssertionSigner {
 public:
  struct Settings {
    std::string header;  // the field that carries it
    std::string issuer;  // `iss`
    Millis lifetime{60'000};
  };

  // Both keys are on P-256 (the loader has looked). `previous` signs nothing and is published beside `key`,
  // so that backends know a key before the first assertion under it and after the last.
  AssertionSigner(Settings settings, crypto::PrivateKey key,
                  const std::optional<crypto::PrivateKey>& previous);

  // A JWS in its compact form. `not_after`: when the access token stops counting, which no assertion
  // outlives. Fails only where OpenSSL does.
  [[nodiscard]] std::expected<std::string, std::string> sign(const token::AccessToken& token,
                                                             std::string_view audience, std::string_view jkt,
                                                             UnixTime now, UnixTime not_after) const;

  [[nodiscard]] const Settings& settings() const { return settings_; }
  // The public keys as a JWK set.
  [[nodiscard]] const std::string& key_set() const { return key_set_; }

 private:
  const Settings settings_;
  const crypto::PrivateKey key_;
  const std::string head_;  // the first segment and its dot
  std::string key_set_;
};

// An assertion of one token for one upstream, for as long as it is handed out again: a signature costs about
// as much as the rest of a request, and a backend learns nothing from a fresh one. Not so once its issuer has
// said something new of the token, or another issuer has: `of` are the facts that it was made from.
struct SignedIdentity {
  std::string assertion;
  UnixTime renew_at;
  std::weak_ptr<const token::AccessToken> of;

  [[nodiscard]] bool says(const std::shared_ptr<const token::AccessToken>& facts) const {
    return !of.owner_before(facts) && !facts.owner_before(of);
  }
};

}  // namespace holdfast::pipeline
