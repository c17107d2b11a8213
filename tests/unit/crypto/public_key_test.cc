// Rule 7: which public keys are keys at all.
#include "crypto/public_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "../../support/vectors.h"
#include "crypto/private_key.h"

namespace holdfast::crypto {
namespace {

using holdfast::testing::from_hex;

// An odd number of `bits` bits that is no product of ROCA's: making a key does not ask for its primes.
std::string modulus(int bits) {
  std::string n(static_cast<std::size_t>((bits + 7) / 8), '\x5b');
  n.front() = static_cast<char>(1 << ((bits - 1) % 8));
  return n;
}
const std::string kExponent("\x01\x00\x01", 3);

TEST(PublicKey, RsaModulusWithinItsBounds) {
  const struct {
    int bits;
    bool proof;
    bool issuer;
  } cases[] = {{1024, false, false}, {2047, false, false}, {2048, true, true},
               {3072, true, true},   {4096, true, true},   {4097, false, true},
               {8192, false, true},  {8193, false, false}, {16384, false, false}};
  for (const auto& c : cases) {
    EXPECT_EQ(PublicKey::rsa(modulus(c.bits), kExponent, kProofRsaBounds).has_value(), c.proof) << c.bits;
    EXPECT_EQ(PublicKey::rsa(modulus(c.bits), kExponent, kIssuerRsaBounds).has_value(), c.issuer) << c.bits;
  }
}

TEST(PublicKey, RsaModulusIsOdd) {
  std::string even = modulus(2048);
  even.back() = '\x5a';
  EXPECT_FALSE(PublicKey::rsa(even, kExponent, kProofRsaBounds).has_value());
  EXPECT_FALSE(PublicKey::rsa("", kExponent, kProofRsaBounds).has_value());
}

TEST(PublicKey, RsaExponentIsOddAndNeitherOneNorLong) {
  const std::pair<const char*, bool> cases[] = {
      {"", false},          {"00", false},         {"01", false},         {"02", false},
      {"03", true},         {"010001", true},      {"010000", false},     {"ffffffff", true},
      {"0100000001", true}, {"0100000003", false}, {"0100000000", false}, {"010000000001", false},
      {"00010001", true}};
  for (const auto& [hex, good] : cases) {
    EXPECT_EQ(PublicKey::rsa(modulus(2048), from_hex(hex), kProofRsaBounds).has_value(), good) << hex;
  }
}

TEST(PublicKey, LeadingZeroOctetsAreNoPartOfANumber) {
  const auto key = PublicKey::rsa(std::string(1, '\0') + modulus(2048), kExponent, kProofRsaBounds);
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->first(), modulus(2048));
  EXPECT_EQ(key->rsa_bits(), 2048);
  // Padding does not lift a weak modulus over the bound.
  EXPECT_FALSE(
      PublicKey::rsa(std::string(200, '\0') + modulus(1024), kExponent, kProofRsaBounds).has_value());
}

TEST(PublicKey, PointsLieOnTheirCurve) {
  for (const SignatureAlgorithm algorithm :
       {SignatureAlgorithm::kEcdsaP256Sha256, SignatureAlgorithm::kEcdsaP384Sha384,
        SignatureAlgorithm::kEcdsaP521Sha512}) {
    const auto made = PrivateKey::generate(algorithm);
    ASSERT_TRUE(made.has_value());
    const PublicKey& key = made->public_key();
    const std::string x(key.first());
    std::string y(key.second());
    EXPECT_TRUE(PublicKey::ec(key.type(), x, y).has_value());
    EXPECT_FALSE(PublicKey::ec(key.type(), x, '\0' + y).has_value()) << "a coordinate that is too long";
    EXPECT_FALSE(PublicKey::ec(key.type(), x.substr(1), y).has_value()) << "a coordinate that is too short";
    EXPECT_FALSE(
        PublicKey::ec(key.type(), std::string(x.size(), '\0'), std::string(x.size(), '\0')).has_value());
    EXPECT_FALSE(PublicKey::ec(key.type(), std::string(x.size(), '\xff'), y).has_value())
        << "x is not below p";
    y.back() = static_cast<char>(y.back() ^ 1);
    EXPECT_FALSE(PublicKey::ec(key.type(), x, y).has_value()) << "a point beside the curve";
  }
  EXPECT_FALSE(PublicKey::ec(KeyType::kRsa, "", "").has_value());
  EXPECT_EQ(ERR_peek_error(), 0U) << "errors left for a TLS stream to find";
}

TEST(PublicKey, Ed25519HasThirtyTwoBytes) {
  EXPECT_TRUE(PublicKey::ed25519(std::string(32, 'x')).has_value());
  EXPECT_FALSE(PublicKey::ed25519(std::string(31, 'x')).has_value());
  EXPECT_FALSE(PublicKey::ed25519(std::string(57, 'x')).has_value()) << "the size of Ed448";
}

}  // namespace
}  // namespace holdfast::crypto
