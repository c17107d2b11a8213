// `holdfast proof`: a DPoP proof (RFC 9449 4.2) for one request, to try an API with curl:
//   curl -H "Authorization: DPoP $(cat token)" -H "DPoP: $(holdfast proof --key k.pem --method GET --url U
//   --token-file token)" U
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"
#include "crypto/private_key.h"

namespace holdfast::cli {

struct ProofOptions {
  std::filesystem::path key_file;
  std::string method;
  std::string url;
  std::optional<std::filesystem::path> token_file;
  std::optional<std::string> nonce;
};

struct ProofClaims {
  std::string jti;
  std::string htm;
  std::string htu;  // without query and fragment
  UnixTime iat;
  std::optional<std::string> token;  // becomes `ath`
  std::optional<std::string> nonce;
};

// The compact JWS. The algorithm follows from the key: ES256/384/512, Ed25519 as EdDSA, RSA as PS256.
[[nodiscard]] std::expected<std::string, std::string> make_proof(const crypto::PrivateKey& key,
                                                                 const ProofClaims& claims);

[[nodiscard]] int proof(const ProofOptions& options);

}  // namespace holdfast::cli
