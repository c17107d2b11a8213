#include "cli/proof.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>

#include "base/base64url.h"
#include "base/secret.h"
#include "cli/command_line.h"
#include "cli/file.h"
#include "crypto/digest.h"
#include "crypto/random.h"
#include "jose/algorithm.h"
#include "jose/jwk.h"
#include "settings/words.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxKeyFile = 64 * 1024;
constexpr std::size_t kMaxTokenFile = 64 * 1024;

jose::Algorithm algorithm_for(crypto::KeyType type) {
  switch (type) {
    case crypto::KeyType::kP256:
      return jose::Algorithm::ES256;
    case crypto::KeyType::kP384:
      return jose::Algorithm::ES384;
    case crypto::KeyType::kP521:
      return jose::Algorithm::ES512;
    case crypto::KeyType::kEd25519:
      return jose::Algorithm::EdDSA;
    case crypto::KeyType::kRsa:
      break;
  }
  return jose::Algorithm::PS256;
}

std::string encoded(std::string_view bytes) {
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

// Files of one line end in a line feed that is not part of the token.
std::string_view without_line_end(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  return text;
}

int fail(const std::string& why, int code) {
  std::fprintf(stderr, "holdfast proof: %s\n", why.c_str());
  return code;
}

}  // namespace

std::expected<std::string, std::string> make_proof(const crypto::PrivateKey& key, const ProofClaims& claims) {
  const jose::AlgorithmRow& row = jose::row_of(algorithm_for(key.public_key().type()));
  const boost::json::object header{{"typ", "dpop+jwt"},
                                   {"alg", row.name},
                                   {"jwk", boost::json::parse(jose::canonical_jwk(key.public_key()))}};
  boost::json::object payload{
      {"jti", claims.jti},
      {"htm", claims.htm},
      {"htu", claims.htu},
      {"iat", std::chrono::floor<std::chrono::seconds>(claims.iat).time_since_epoch().count()}};
  if (claims.token) payload["ath"] = base64url_encode(crypto::sha256(*claims.token));
  if (claims.nonce) payload["nonce"] = *claims.nonce;
  std::string proof =
      encoded(boost::json::serialize(header)) + '.' + encoded(boost::json::serialize(payload));
  const auto signature = key.sign(row.signature, proof);
  if (!signature) return std::unexpected(signature.error());
  return proof + '.' + encoded(*signature);
}

int proof(const ProofOptions& options) {
  ProofClaims claims;
  claims.htm = options.method;
  claims.htu = options.url.substr(0, options.url.find_first_of("?#"));
  claims.nonce = options.nonce;
  if (!settings::is_token(claims.htm)) return fail("--method is no HTTP method", kUsage);
  if (!settings::parse_url(claims.htu)) return fail("--url must be an absolute http or https URL", kUsage);
  auto pem = read_file(options.key_file, kMaxKeyFile);
  if (!pem) return fail(options.key_file.string() + ": " + pem.error(), kFailed);
  const Secret key_text(*std::move(pem));
  const auto key = crypto::PrivateKey::from_pem(key_text.reveal());
  if (!key) return fail(options.key_file.string() + ": " + key.error(), kFailed);
  if (options.token_file) {
    const auto token = read_file(*options.token_file, kMaxTokenFile);
    if (!token) return fail(options.token_file->string() + ": " + token.error(), kFailed);
    claims.token = without_line_end(*token);
    if (claims.token->empty()) return fail(options.token_file->string() + " is empty", kFailed);
  }
  claims.jti = encoded(crypto::random_bytes(16));
  claims.iat = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  const auto made = make_proof(*key, claims);
  if (!made) return fail(made.error(), kFailed);
  std::printf("%s\n", made->c_str());
  return kDone;
}

}  // namespace holdfast::cli
