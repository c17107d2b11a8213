// Public JWKs: see the header.
#include "jose/jwk.h"

#include <array>
#include <span>
#include <utility>

#include "base/base64url.h"
#include "crypto/digest.h"
#include "jose/json.h"

namespace holdfast::jose {
namespace {

using crypto::KeyType;
using crypto::PublicKey;

std::string encode(std::string_view bytes) {
  return base64url_encode(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

std::unexpected<JwkFlaw> flaw(std::string what) {
  return std::unexpected(JwkFlaw{false, std::move(what)});
}

std::expected<std::string, JwkFlaw> octets_member(const boost::json::object& jwk, std::string_view name) {
  const auto text = string_member(jwk, name);
  if (!text) return flaw("member \"" + std::string(name) + "\" is missing or no string");
  auto bytes = base64url_decode(*text);
  if (!bytes || bytes->empty()) return flaw("member \"" + std::string(name) + "\" is not base64url");
  return *std::move(bytes);
}

std::expected<PublicKey, JwkFlaw> checked(std::expected<PublicKey, std::string> key) {
  if (!key) return flaw(std::move(key).error());
  return *std::move(key);
}

std::expected<PublicKey, JwkFlaw> parse_ec(const boost::json::object& jwk) {
  const auto crv = string_member(jwk, "crv");
  if (!crv) return flaw("member \"crv\" is missing or no string");
  KeyType type{};
  if (*crv == "P-256") {
    type = KeyType::kP256;
  } else if (*crv == "P-384") {
    type = KeyType::kP384;
  } else if (*crv == "P-521") {
    type = KeyType::kP521;
  } else {
    return flaw("a curve other than P-256, P-384 and P-521");
  }
  const auto x = octets_member(jwk, "x");
  if (!x) return std::unexpected(x.error());
  const auto y = octets_member(jwk, "y");
  if (!y) return std::unexpected(y.error());
  return checked(PublicKey::ec(type, *x, *y));
}

std::expected<PublicKey, JwkFlaw> parse_rsa(const boost::json::object& jwk, crypto::RsaBounds bounds) {
  const auto n = octets_member(jwk, "n");
  if (!n) return std::unexpected(n.error());
  const auto e = octets_member(jwk, "e");
  if (!e) return std::unexpected(e.error());
  return checked(PublicKey::rsa(*n, *e, bounds));
}

std::expected<PublicKey, JwkFlaw> parse_okp(const boost::json::object& jwk) {
  const auto crv = string_member(jwk, "crv");
  if (!crv || *crv != "Ed25519") return flaw("an OKP key on a curve other than Ed25519");
  const auto x = octets_member(jwk, "x");
  if (!x) return std::unexpected(x.error());
  return checked(PublicKey::ed25519(*x));
}

}  // namespace

std::expected<PublicKey, JwkFlaw> parse_public_jwk(const boost::json::object& jwk, crypto::RsaBounds bounds) {
  constexpr auto kPrivateMembers =
      std::to_array<std::string_view>({"d", "p", "q", "dp", "dq", "qi", "oth", "k"});
  for (const std::string_view name : kPrivateMembers) {
    if (jwk.contains(boost::json::string_view(name))) {
      return std::unexpected(JwkFlaw{true, "member \"" + std::string(name) + "\" belongs to a private key"});
    }
  }
  const auto kty = string_member(jwk, "kty");
  if (!kty) return flaw("member \"kty\" is missing or no string");
  if (*kty == "EC") return parse_ec(jwk);
  if (*kty == "RSA") return parse_rsa(jwk, bounds);
  if (*kty == "OKP") return parse_okp(jwk);
  return flaw("a key type other than EC, RSA and OKP");
}

std::string canonical_jwk(const PublicKey& key) {
  const auto curve = [&key](std::string_view crv) {
    return R"({"crv":")" + std::string(crv) + R"(","kty":"EC","x":")" + encode(key.first()) + R"(","y":")" +
           encode(key.second()) + R"("})";
  };
  switch (key.type()) {
    case KeyType::kP256:
      return curve("P-256");
    case KeyType::kP384:
      return curve("P-384");
    case KeyType::kP521:
      return curve("P-521");
    case KeyType::kEd25519:
      return R"({"crv":"Ed25519","kty":"OKP","x":")" + encode(key.first()) + R"("})";
    case KeyType::kRsa:
      break;
  }
  return R"({"e":")" + encode(key.second()) + R"(","kty":"RSA","n":")" + encode(key.first()) + R"("})";
}

crypto::Digest256 thumbprint_digest(const PublicKey& key) {
  return crypto::sha256(canonical_jwk(key));
}

std::string thumbprint(const PublicKey& key) {
  return base64url_encode(thumbprint_digest(key));
}

}  // namespace holdfast::jose
