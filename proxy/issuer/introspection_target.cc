#include "issuer/introspection_target.h"

#include <cstdint>

#include "base/base64url.h"
#include "crypto/random.h"
#include "jose/algorithm.h"
#include "token/introspection_request.h"
#include "token/introspection_response.h"

namespace holdfast::issuer {
namespace {

constexpr std::size_t kJtiBytes = 16;

std::string encoded(std::string_view bytes) {
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::expected<std::string, std::string> assertion(const IntrospectionTarget& target, UnixTime now) {
  const crypto::PrivateKey& key = *target.credentials->key;
  const jose::Algorithm algorithm = token::assertion_algorithm(key.public_key().type());
  const std::string jti = encoded(crypto::random_bytes(kJtiBytes));
  std::string text = token::assertion_signing_input(algorithm, {.client_id = target.credentials->client_id,
                                                                .audience = target.iss,
                                                                .jti = jti,
                                                                .now = now,
                                                                .kid = target.credentials->kid});
  const auto signature = key.sign(jose::row_of(algorithm).signature, text);
  if (!signature) return std::unexpected("key_file: " + signature.error());
  return text + '.' + encoded(*signature);
}

}  // namespace

std::expected<FetchRequest, std::string> introspection_request(const IntrospectionTarget& target,
                                                               std::string_view token, UnixTime now) {
  FetchRequest request{.location = target.location, .tls = target.tls};
  request.max_answer = token::kMaxIntrospectionSize;
  if (!target.credentials->key) {
    request.form = token::introspection_form(token, "");
    request.authorization =
        token::basic_authorization(target.credentials->client_id, target.credentials->secret);
    return request;
  }
  const auto signed_assertion = assertion(target, now);
  if (!signed_assertion) return std::unexpected(signed_assertion.error());
  request.form = token::introspection_form(token, *signed_assertion);
  return request;
}

}  // namespace holdfast::issuer
