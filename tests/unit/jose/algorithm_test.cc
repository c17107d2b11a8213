#include "jose/algorithm.h"

#include <gtest/gtest.h>

namespace holdfast::jose {
namespace {

TEST(Algorithm, EveryRowIsFoundByItsName) {
  for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(kAlgorithms[i].algorithm), i);
    EXPECT_EQ(algorithm_named(kAlgorithms[i].name), kAlgorithms[i].algorithm);
    EXPECT_EQ(algorithm_name(kAlgorithms[i].algorithm), kAlgorithms[i].name);
  }
}

TEST(Algorithm, NeitherNoneNorMacsNorOtherSpellingsHaveARow) {
  for (const char* const name : {"none", "None", "NONE", "", "HS256", "HS384", "HS512", "es256", "ES256K",
                                 "ES521", "RS1", "RSA-OAEP", "Ed448", "ed25519", "ES256 "}) {
    EXPECT_EQ(algorithm_named(name), std::nullopt) << name;
  }
}

TEST(AlgorithmSet, HoldsWhatWasPutIn) {
  const AlgorithmSet set{Algorithm::EdDSA, Algorithm::ES256};
  EXPECT_TRUE(set.contains(Algorithm::ES256));
  EXPECT_FALSE(set.contains(Algorithm::Ed25519));
  EXPECT_EQ(set.names(), "ES256 EdDSA");
  EXPECT_TRUE(AlgorithmSet().empty());
  EXPECT_EQ(AlgorithmSet::all().names(),
            "ES256 ES384 ES512 PS256 PS384 PS512 RS256 RS384 RS512 Ed25519 EdDSA");
}

}  // namespace
}  // namespace holdfast::jose
