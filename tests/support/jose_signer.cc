// See jose_signer.h. Failures of OpenSSL throw: in a test there is nothing to go on with.
#include "support/jose_signer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <stdexcept>

namespace holdfast::support {
namespace {

void require(bool ok, const char* what) {
  if (!ok) throw std::runtime_error(what);
}

struct Algorithm {
  std::string_view name;
  const char* curve;  // OpenSSL group, null for RSA and Ed25519
  std::string_view crv;
  std::size_t coordinate;  // bytes of x, y, r and s
  const EVP_MD* (*digest)();
  bool pss;
};

constexpr Algorithm kAlgorithms[] = {
    {"ES256", "P-256", "P-256", 32, EVP_sha256, false}, {"ES384", "P-384", "P-384", 48, EVP_sha384, false},
    {"ES512", "P-521", "P-521", 66, EVP_sha512, false}, {"RS256", nullptr, "", 0, EVP_sha256, false},
    {"RS384", nullptr, "", 0, EVP_sha384, false},       {"RS512", nullptr, "", 0, EVP_sha512, false},
    {"PS256", nullptr, "", 0, EVP_sha256, true},        {"PS384", nullptr, "", 0, EVP_sha384, true},
    {"PS512", nullptr, "", 0, EVP_sha512, true},        {"Ed25519", nullptr, "Ed25519", 0, nullptr, false},
    {"EdDSA", nullptr, "Ed25519", 0, nullptr, false},
};

const Algorithm& algorithm(std::string_view name) {
  const auto* found = std::find_if(std::begin(kAlgorithms), std::end(kAlgorithms),
                                   [&](const Algorithm& a) { return a.name == name; });
  require(found != std::end(kAlgorithms), "no such algorithm");
  return *found;
}

std::string number_bytes(const EVP_PKEY* key, const char* parameter, std::size_t width) {
  BIGNUM* number = nullptr;
  require(EVP_PKEY_get_bn_param(key, parameter, &number) == 1, parameter);
  std::string bytes(width == 0 ? static_cast<std::size_t>(BN_num_bytes(number)) : width, '\0');
  const int written =
      BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_clear_free(number);
  require(written >= 0, "number too wide");
  return bytes;
}

std::string raw_public_key(const EVP_PKEY* key) {
  std::string bytes(32, '\0');
  std::size_t size = bytes.size();
  require(EVP_PKEY_get_raw_public_key(key, reinterpret_cast<unsigned char*>(bytes.data()), &size) == 1,
          "raw public");
  return bytes;
}

std::string make_jwk(const Algorithm& alg, const EVP_PKEY* key) {
  if (alg.curve != nullptr) {
    return R"({"crv":")" + std::string(alg.crv) + R"(","kty":"EC","x":")" +
           base64url(number_bytes(key, OSSL_PKEY_PARAM_EC_PUB_X, alg.coordinate)) + R"(","y":")" +
           base64url(number_bytes(key, OSSL_PKEY_PARAM_EC_PUB_Y, alg.coordinate)) + R"("})";
  }
  if (alg.digest == nullptr) {
    return R"({"crv":"Ed25519","kty":"OKP","x":")" + base64url(raw_public_key(key)) + R"("})";
  }
  return R"({"e":")" + base64url(number_bytes(key, OSSL_PKEY_PARAM_RSA_E, 0)) + R"(","kty":"RSA","n":")" +
         base64url(number_bytes(key, OSSL_PKEY_PARAM_RSA_N, 0)) + R"("})";
}

// ECDSA leaves OpenSSL as DER; JOSE wants r||s of exact width (RFC 7518 3.4).
std::string der_to_joined(const std::string& der, std::size_t width) {
  const auto* cursor = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size()));
  require(signature != nullptr, "ECDSA signature");
  std::string joined(2 * width, '\0');
  auto* out = reinterpret_cast<unsigned char*>(joined.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, static_cast<int>(width));
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + width, static_cast<int>(width));
  ECDSA_SIG_free(signature);
  return joined;
}

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string base64url(std::string_view bytes) {
  std::string out;
  std::uint32_t window = 0;
  int bits = 0;
  for (const char byte : bytes) {
    window = (window << 8U) | static_cast<unsigned char>(byte);
    for (bits += 8; bits >= 6; bits -= 6) out += kAlphabet[(window >> static_cast<unsigned>(bits - 6)) & 63U];
  }
  if (bits > 0) out += kAlphabet[(window << static_cast<unsigned>(6 - bits)) & 63U];
  return out;
}

std::string base64url_decode(std::string_view text) {
  std::string out;
  std::uint32_t window = 0;
  int bits = 0;
  const std::string_view alphabet(kAlphabet);
  for (const char letter : text) {
    const auto value = alphabet.find(letter);
    require(value != std::string_view::npos, "not base64url");
    window = (window << 6U) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>((window >> static_cast<unsigned>(bits)) & 255U);
    }
  }
  return out;
}

std::string sha256(std::string_view bytes) {
  std::string out(32, '\0');
  require(EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), nullptr,
                     EVP_sha256(), nullptr) == 1,
          "digest");
  return out;
}

std::string random_id() {
  std::string bytes(18, '\0');
  require(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) == 1,
          "random");
  return base64url(bytes);
}

std::int64_t unix_now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(c));
      out += escape;
    } else {
      out += c;
    }
  }
  return out + '"';
}

Members& Members::raw(std::string_view name, std::string value) {
  const auto found =
      std::find_if(members_.begin(), members_.end(), [&](const auto& m) { return m.first == name; });
  if (found != members_.end()) {
    found->second = std::move(value);
    return *this;
  }
  return repeat(name, std::move(value));
}

Members& Members::text(std::string_view name, std::string_view value) {
  return raw(name, json_string(value));
}

Members& Members::number(std::string_view name, std::int64_t value) {
  return raw(name, std::to_string(value));
}

Members& Members::erase(std::string_view name) {
  std::erase_if(members_, [&](const auto& m) { return m.first == name; });
  return *this;
}

Members& Members::repeat(std::string_view name, std::string value) {
  members_.emplace_back(name, std::move(value));
  return *this;
}

std::string Members::json() const {
  std::string out = "{";
  for (const auto& [name, value] : members_) {
    if (out.size() > 1) out += ',';
    out += json_string(name) + ':' + value;
  }
  return out + '}';
}

SigningKey SigningKey::generate(std::string_view alg, int rsa_bits) {
  const Algorithm& row = algorithm(alg);
  EVP_PKEY* made = nullptr;
  if (row.curve != nullptr) {
    made = EVP_EC_gen(row.curve);
  } else if (row.digest == nullptr) {
    made = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
  } else {
    made = EVP_RSA_gen(static_cast<unsigned>(rsa_bits));
  }
  require(made != nullptr, "key generation");
  return {alg, made};
}

SigningKey::SigningKey(std::string_view alg, EVP_PKEY* key)
    : alg_(alg), key_(key, EVP_PKEY_free), jwk_(make_jwk(algorithm(alg), key)) {}

SigningKey SigningKey::from_pem(std::string_view alg, const std::string& file) {
  const std::unique_ptr<FILE, decltype(&std::fclose)> input(std::fopen(file.c_str(), "r"), std::fclose);
  require(input != nullptr, file.c_str());
  EVP_PKEY* key = PEM_read_PrivateKey(input.get(), nullptr, nullptr, nullptr);
  require(key != nullptr, "PEM");
  return {alg, key};
}

void SigningKey::write_pem(const std::string& file) const {
  const std::unique_ptr<FILE, decltype(&std::fclose)> output(std::fopen(file.c_str(), "w"), std::fclose);
  require(output != nullptr, file.c_str());
  require(PEM_write_PrivateKey(output.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
}

std::string SigningKey::private_jwk() const {
  const Algorithm& row = algorithm(alg_);
  std::string secret;
  if (row.curve != nullptr) {
    secret = number_bytes(key_.get(), OSSL_PKEY_PARAM_PRIV_KEY, row.coordinate);
  } else if (row.digest == nullptr) {
    secret.resize(32);
    std::size_t size = secret.size();
    require(
        EVP_PKEY_get_raw_private_key(key_.get(), reinterpret_cast<unsigned char*>(secret.data()), &size) == 1,
        "raw private");
  } else {
    secret = number_bytes(key_.get(), OSSL_PKEY_PARAM_RSA_D, 0);
  }
  return jwk_.substr(0, jwk_.size() - 1) + R"(,"d":")" + base64url(secret) + R"("})";
}

std::string SigningKey::thumbprint() const {
  return base64url(sha256(jwk_));
}

std::string SigningKey::sign(std::string_view signing_input) const {
  const Algorithm& row = algorithm(alg_);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;
  const EVP_MD* digest = row.digest == nullptr ? nullptr : row.digest();
  require(EVP_DigestSignInit(context.get(), &parameters, digest, nullptr, key_.get()) == 1, "sign init");
  if (row.pss) {
    require(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1, "pss");
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
  }
  const auto* input = reinterpret_cast<const unsigned char*>(signing_input.data());
  std::size_t size = 0;
  require(EVP_DigestSign(context.get(), nullptr, &size, input, signing_input.size()) == 1, "sign size");
  std::string signature(size, '\0');
  require(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, input,
                         signing_input.size()) == 1,
          "sign");
  signature.resize(size);
  return row.curve != nullptr ? der_to_joined(signature, row.coordinate) : signature;
}

std::string compact_jws(std::string_view header, std::string_view payload, const SigningKey& key) {
  const std::string input = base64url(header) + '.' + base64url(payload);
  return input + '.' + base64url(key.sign(input));
}

Proof::Proof(const SigningKey& key, std::string_view method, std::string_view url, std::string_view token) {
  header.text("typ", "dpop+jwt").text("alg", key.alg()).raw("jwk", key.public_jwk());
  payload.text("jti", random_id()).text("htm", method).text("htu", url).number("iat", unix_now());
  payload.text("ath", base64url(sha256(token)));
}

std::string Proof::sign(const SigningKey& key) const {
  return compact_jws(header.json(), payload.json(), key);
}

AccessToken::AccessToken(std::string_view issuer, std::string_view audience, std::string_view kid,
                         std::string_view alg) {
  header.text("alg", alg).text("typ", "JWT").text("kid", kid);
  const std::int64_t now = unix_now();
  payload.number("exp", now + 3600).number("iat", now).text("jti", random_id()).text("iss", issuer);
  payload.text("aud", audience).text("sub", "8d1f3f0c-alice").text("typ", "Bearer").text("azp", "shop-app");
}

AccessToken& AccessToken::bind(const SigningKey& client) {
  payload.text("typ", "DPoP").raw("cnf", R"({"jkt":")" + client.thumbprint() + R"("})");
  return *this;
}

std::string AccessToken::sign(const SigningKey& issuer_key) const {
  return compact_jws(header.json(), payload.json(), issuer_key);
}

}  // namespace holdfast::support
