// Asking about a token: see the header.
#include "token/introspection_request.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "base/ascii.h"
#include "base/base64url.h"

namespace holdfast::token {
namespace {

constexpr std::string_view kAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

// application/x-www-form-urlencoded (RFC 6749 appendix B).
void append_form_encoded(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  for (const char c : text) {
    if (is_alpha(c) || is_digit(c) || std::string_view("-._*").contains(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kHex[byte >> 4], kHex[byte & 0xF]};
    }
  }
}

std::string encoded(std::string_view bytes) {
  return base64url_encode({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

// RFC 4648 4.
std::string base64(std::string_view bytes) {
  std::string text = encoded(bytes);
  for (char& c : text) {
    if (c == '-') c = '+';
    if (c == '_') c = '/';
  }
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace

std::expected<Secret, std::string> client_secret_of(std::string_view file_contents) {
  while (file_contents.ends_with('\n') || file_contents.ends_with('\r')) file_contents.remove_suffix(1);
  // RFC 6749 appendix A.2
  const auto is_vschar = [](char c) { return c >= 0x20 && c < 0x7F; };
  if (file_contents.empty() || !std::ranges::all_of(file_contents, is_vschar)) {
    return std::unexpected("holds no secret in one line of visible ASCII characters");
  }
  return Secret(std::string(file_contents));
}

Secret basic_authorization(std::string_view client_id, const Secret& client_secret) {
  std::string pair;
  pair.reserve(3 * (client_id.size() + client_secret.reveal().size()) + 1);  // grown, it would leave copies
  append_form_encoded(pair, client_id);
  pair += ':';
  append_form_encoded(pair, client_secret.reveal());
  const Secret joined(std::move(pair));
  const Secret text(base64(joined.reveal()));
  return Secret(std::string("Basic ").append(text.reveal()));
}

jose::Algorithm assertion_algorithm(crypto::KeyType type) {
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
  return jose::Algorithm::RS256;
}

std::string assertion_signing_input(jose::Algorithm algorithm, const AssertionClaims& claims) {
  const std::int64_t now = std::chrono::floor<std::chrono::seconds>(claims.now).time_since_epoch().count();
  boost::json::object header{{"alg", jose::algorithm_name(algorithm)}, {"typ", "JWT"}};
  if (!claims.kid.empty()) header["kid"] = claims.kid;
  const boost::json::object payload{{"iss", claims.client_id},
                                    {"sub", claims.client_id},
                                    {"aud", claims.audience},
                                    {"jti", claims.jti},
                                    {"iat", now},
                                    {"exp", now + kAssertionLifetime.count()}};
  return encoded(boost::json::serialize(header)) + '.' + encoded(boost::json::serialize(payload));
}

Secret introspection_form(std::string_view token, std::string_view assertion) {
  std::string form;
  form.reserve(3 * token.size() + assertion.size() + 256);
  form += "token=";
  append_form_encoded(form, token);
  form += "&token_type_hint=access_token";
  if (!assertion.empty()) {
    form += "&client_assertion_type=";
    append_form_encoded(form, kAssertionType);
    form += "&client_assertion=";
    append_form_encoded(form, assertion);
  }
  return Secret(std::move(form));
}

}  // namespace holdfast::token
