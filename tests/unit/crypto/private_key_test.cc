#include "crypto/private_key.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include "crypto/random.h"
#include "jose/algorithm.h"

namespace holdfast::crypto {
namespace {

TEST(PrivateKey, SignsWhatItsPublicHalfVerifiesAlsoAfterPem) {
  for (const jose::AlgorithmRow& row : jose::kAlgorithms) {
    const auto key = PrivateKey::generate(row.signature);
    ASSERT_TRUE(key.has_value()) << row.name;
    const auto pem = key->to_pem();
    ASSERT_TRUE(pem.has_value()) << row.name;
    EXPECT_TRUE(pem->reveal().starts_with("-----BEGIN PRIVATE KEY-----")) << row.name;
    const auto again = PrivateKey::from_pem(pem->reveal());
    ASSERT_TRUE(again.has_value()) << row.name << ": " << again.error();
    EXPECT_EQ(again->public_key().first(), key->public_key().first());
    EXPECT_EQ(again->public_key().second(), key->public_key().second());

    const auto signature = again->sign(row.signature, "message");
    ASSERT_TRUE(signature.has_value()) << row.name;
    EXPECT_TRUE(verify(key->public_key(), row.signature, "message", *signature)) << row.name;
    EXPECT_FALSE(verify(key->public_key(), row.signature, "massage", *signature)) << row.name;
  }
}

TEST(PrivateKey, RefusesWhatIsNoKeyAndSweepsUp) {
  EXPECT_FALSE(PrivateKey::from_pem("").has_value());
  EXPECT_FALSE(
      PrivateKey::from_pem("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").has_value());
  EXPECT_EQ(ERR_peek_error(), 0U);
}

TEST(PrivateKey, DoesNotSignWithWhatItDoesNotFit) {
  const auto key = PrivateKey::generate(SignatureAlgorithm::kEcdsaP256Sha256);
  ASSERT_TRUE(key.has_value());
  EXPECT_FALSE(key->sign(SignatureAlgorithm::kEcdsaP384Sha384, "message").has_value());
  EXPECT_FALSE(key->sign(SignatureAlgorithm::kRsaPssSha256, "message").has_value());
}

TEST(Random, GivesOtherBytesEachTime) {
  EXPECT_EQ(random_bytes(32).size(), 32U);
  EXPECT_NE(random_bytes(32), random_bytes(32));
}

}  // namespace
}  // namespace holdfast::crypto
