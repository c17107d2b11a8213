// Making and checking public keys: see the header.
#include "crypto/public_key.h"

#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <array>
#include <bit>
#include <utility>

#include "crypto/openssl.h"

namespace holdfast::crypto {
namespace {

using Bignum = std::unique_ptr<BIGNUM, Freer<BN_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, Freer<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, Freer<OSSL_PARAM_free>>;

const unsigned char* octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

std::string_view without_leading_zeros(std::string_view number) {
  while (!number.empty() && number.front() == '\0') number.remove_prefix(1);
  return number;
}

int bit_length(std::string_view number) {
  if (number.empty()) return 0;
  return static_cast<int>(number.size() - 1) * 8 + std::bit_width(static_cast<unsigned char>(number.front()));
}

unsigned modulo(std::string_view number, unsigned divisor) {
  unsigned rest = 0;
  for (const char octet : number) rest = (rest * 256 + static_cast<unsigned char>(octet)) % divisor;
  return rest;
}

// The primes of Infineon's broken generator are k*M + 65537^a mod M, with M a product of small primes
// (CVE-2017-15361): its moduli are powers of 65537 modulo each of them, which a random modulus is with a
// chance of about 2^-28.
bool has_roca_fingerprint(std::string_view n) {
  constexpr auto kPrimes = std::to_array<unsigned>(
      {3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
       73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167});
  for (const unsigned prime : kPrimes) {
    const unsigned wanted = modulo(n, prime);
    unsigned power = 1;
    bool found = false;
    for (unsigned i = 0; i < prime && !found; ++i) {
      found = power == wanted;
      power = power * 65537 % prime;
    }
    if (!found) return false;
  }
  return true;
}

EvpKey from_params(const char* name, const Params& params) {
  const EvpKeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, name, nullptr));
  EVP_PKEY* key = nullptr;
  if (context == nullptr || params == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
    return nullptr;
  }
  return EvpKey(key);
}

const char* curve_name(KeyType type) {
  switch (type) {
    case KeyType::kP256:
      return "P-256";
    case KeyType::kP384:
      return "P-384";
    case KeyType::kP521:
      return "P-521";
    case KeyType::kRsa:
    case KeyType::kEd25519:
      break;
  }
  return nullptr;
}

}  // namespace

std::size_t coordinate_size(KeyType type) {
  switch (type) {
    case KeyType::kP256:
    case KeyType::kEd25519:
      return 32;
    case KeyType::kP384:
      return 48;
    case KeyType::kP521:
      return 66;
    case KeyType::kRsa:
      break;
  }
  return 0;
}

std::expected<PublicKey, std::string> PublicKey::rsa(std::string_view n, std::string_view e,
                                                     RsaBounds bounds) {
  const ErrorQueueSweep sweep;
  n = without_leading_zeros(n);
  e = without_leading_zeros(e);
  const int bits = bit_length(n);
  if (bits < bounds.min_bits || bits > bounds.max_bits) {
    return std::unexpected("an RSA modulus of " + std::to_string(bits) + " bits, not of " +
                           std::to_string(bounds.min_bits) + " to " + std::to_string(bounds.max_bits));
  }
  if ((n.back() & 1) == 0) return std::unexpected("an even RSA modulus");
  // FIPS 186-5 allows exponents to 2^256; a long one makes each verification as dear as a signature.
  constexpr std::string_view kMaxExponent("\x01\x00\x00\x00\x01", 5);
  const bool too_large =
      e.size() > kMaxExponent.size() || (e.size() == kMaxExponent.size() && e > kMaxExponent);
  if (e.empty() || too_large || (e.back() & 1) == 0 || e == "\x01") {
    return std::unexpected("an RSA exponent that is even or not within 3 to 2^32 + 1");
  }
  if (has_roca_fingerprint(n)) return std::unexpected("an RSA modulus of the broken ROCA generator");

  const Bignum modulus(BN_bin2bn(octets(n), static_cast<int>(n.size()), nullptr));
  const Bignum exponent(BN_bin2bn(octets(e), static_cast<int>(e.size()), nullptr));
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (modulus == nullptr || exponent == nullptr || builder == nullptr ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get()) != 1) {
    return std::unexpected("an RSA key that could not be read");
  }
  auto state = std::make_shared<State>();
  state->key = from_params("RSA", Params(OSSL_PARAM_BLD_to_param(builder.get())));
  if (state->key == nullptr) return std::unexpected("an RSA key that could not be read");
  state->type = KeyType::kRsa;
  state->rsa_bits = bits;
  state->first = n;
  state->second = e;
  return PublicKey(std::move(state));
}

std::expected<PublicKey, std::string> PublicKey::ec(KeyType type, std::string_view x, std::string_view y) {
  const ErrorQueueSweep sweep;
  const std::size_t size = coordinate_size(type);
  const char* const curve = curve_name(type);
  if (curve == nullptr) return std::unexpected("not a curve of ECDSA's");
  if (x.size() != size || y.size() != size) {
    return std::unexpected("coordinates that have not the " + std::to_string(size) + " bytes of " + curve);
  }
  std::string point;
  point.reserve(1 + 2 * size);
  point.push_back('\x04');  // SEC 1 2.3.3: uncompressed
  point.append(x).append(y);
  const ParamBuilder builder(OSSL_PARAM_BLD_new());
  if (builder == nullptr ||
      OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve, 0) != 1 ||
      OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) !=
          1) {
    return std::unexpected("a key that could not be read");
  }
  auto state = std::make_shared<State>();
  // Reading an uncompressed point checks that both coordinates are below p and satisfy the curve's equation.
  // These curves have cofactor 1, so a point of theirs is of the right order.
  state->key = from_params("EC", Params(OSSL_PARAM_BLD_to_param(builder.get())));
  if (state->key == nullptr) return std::unexpected(std::string("a point that is not on ") + curve);
  state->type = type;
  state->first = x;
  state->second = y;
  return PublicKey(std::move(state));
}

std::expected<PublicKey, std::string> PublicKey::ed25519(std::string_view x) {
  const ErrorQueueSweep sweep;
  if (x.size() != coordinate_size(KeyType::kEd25519))
    return std::unexpected("an Ed25519 key that has not 32 bytes");
  auto state = std::make_shared<State>();
  state->key.reset(EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, octets(x), x.size()));
  if (state->key == nullptr) return std::unexpected("an Ed25519 key that could not be read");
  state->type = KeyType::kEd25519;
  state->first = x;
  return PublicKey(std::move(state));
}

KeyType PublicKey::type() const {
  return state_->type;
}
int PublicKey::rsa_bits() const {
  return state_->rsa_bits;
}
std::string_view PublicKey::first() const {
  return state_->first;
}
std::string_view PublicKey::second() const {
  return state_->second;
}

}  // namespace holdfast::crypto
