// Rule 15, by Wycheproof's rows and by hand.
#include "crypto/signature.h"

#include <gtest/gtest.h>
#include <openssl/err.h>

#include <thread>
#include <vector>

#include "../../support/vectors.h"
#include "base/base64url.h"
#include "crypto/private_key.h"

namespace holdfast::crypto {
namespace {

using holdfast::testing::from_hex;
using holdfast::testing::load_vectors;
using holdfast::testing::text_at;
using enum SignatureAlgorithm;

std::expected<PublicKey, std::string> group_key(const boost::json::value& group, KeyType type) {
  const auto hex = [&group](std::string_view name) { return from_hex(text_at(group.at("publicKey"), name)); };
  switch (type) {
    case KeyType::kRsa:
      return PublicKey::rsa(hex("modulus"), hex("publicExponent"), kIssuerRsaBounds);
    case KeyType::kEd25519:
      return PublicKey::ed25519(hex("pk"));
    case KeyType::kP256:
    case KeyType::kP384:
    case KeyType::kP521:
      break;
  }
  const std::string point = hex("uncompressed");
  const std::size_t size = coordinate_size(type);
  return PublicKey::ec(type, std::string_view(point).substr(1, size),
                       std::string_view(point).substr(1 + size));
}

struct WycheproofFile {
  const char* name;
  SignatureAlgorithm algorithm;
  KeyType type;
  bool hash_fits;  // the file's signatures are made with the algorithm's hash
};

class Wycheproof : public ::testing::TestWithParam<WycheproofFile> {};

TEST_P(Wycheproof, EveryRowComesOutRight) {
  const WycheproofFile& file = GetParam();
  const auto vectors = load_vectors(std::string("wycheproof/") + file.name);
  if (!vectors) GTEST_SKIP() << "no Wycheproof vectors beside the repository";
  std::size_t rows = 0;
  for (const auto& group : vectors->at("testGroups").as_array()) {
    const auto key = group_key(group, file.type);
    ASSERT_TRUE(key.has_value()) << key.error();
    for (const auto& row : group.at("tests").as_array()) {
      // The one acceptable row of each RSA file ("MissingNull") leaves out the NULL parameters of the
      // DigestInfo. RFC 8017 9.2 has the verifier encode and compare, and RFC 7518 3.3 knows no second
      // encoding: refused.
      const bool good = file.hash_fits && text_at(row, "result") == "valid";
      EXPECT_EQ(verify(*key, file.algorithm, from_hex(text_at(row, "msg")), from_hex(text_at(row, "sig"))),
                good)
          << file.name << " tcId " << row.at("tcId").as_int64() << ": " << text_at(row, "comment");
      ++rows;
    }
  }
  EXPECT_EQ(rows, static_cast<std::size_t>(vectors->at("numberOfTests").as_int64()));
  EXPECT_EQ(ERR_peek_error(), 0U) << "errors left for a TLS stream to find";
}

INSTANTIATE_TEST_SUITE_P(
    Files, Wycheproof,
    ::testing::Values(
        WycheproofFile{"ecdsa_secp256r1_sha256_p1363_test.json", kEcdsaP256Sha256, KeyType::kP256, true},
        WycheproofFile{"ecdsa_secp384r1_sha384_p1363_test.json", kEcdsaP384Sha384, KeyType::kP384, true},
        WycheproofFile{"ecdsa_secp521r1_sha512_p1363_test.json", kEcdsaP521Sha512, KeyType::kP521, true},
        // JOSE ties each curve to one hash, so of signatures under another not even the valid ones count.
        WycheproofFile{"ecdsa_secp256r1_sha512_p1363_test.json", kEcdsaP256Sha256, KeyType::kP256, false},
        WycheproofFile{"ecdsa_secp384r1_sha512_p1363_test.json", kEcdsaP384Sha384, KeyType::kP384, false},
        WycheproofFile{"ed25519_test.json", kEd25519, KeyType::kEd25519, true},
        WycheproofFile{"rsa_pss_2048_sha256_mgf1_32_test.json", kRsaPssSha256, KeyType::kRsa, true},
        WycheproofFile{"rsa_pss_3072_sha256_mgf1_32_test.json", kRsaPssSha256, KeyType::kRsa, true},
        WycheproofFile{"rsa_pss_4096_sha384_mgf1_48_test.json", kRsaPssSha384, KeyType::kRsa, true},
        WycheproofFile{"rsa_pss_4096_sha512_mgf1_64_test.json", kRsaPssSha512, KeyType::kRsa, true},
        WycheproofFile{"rsa_signature_2048_sha256_test.json", kRsaPkcs1Sha256, KeyType::kRsa, true},
        WycheproofFile{"rsa_signature_3072_sha384_test.json", kRsaPkcs1Sha384, KeyType::kRsa, true},
        WycheproofFile{"rsa_signature_4096_sha512_test.json", kRsaPkcs1Sha512, KeyType::kRsa, true}));

TEST(Signature, AnAlgorithmTakesItsOwnKindOfKeyAlone) {
  const SignatureAlgorithm all[] = {kEcdsaP256Sha256, kEcdsaP384Sha384, kEcdsaP521Sha512, kRsaPssSha256,
                                    kRsaPssSha384,    kRsaPssSha512,    kRsaPkcs1Sha256,  kRsaPkcs1Sha384,
                                    kRsaPkcs1Sha512,  kEd25519};
  for (const SignatureAlgorithm own :
       {kEcdsaP256Sha256, kEcdsaP384Sha384, kEcdsaP521Sha512, kRsaPssSha256, kEd25519}) {
    const auto key = PrivateKey::generate(own);
    ASSERT_TRUE(key.has_value());
    const auto signature = key->sign(own, "message");
    ASSERT_TRUE(signature.has_value());
    for (const SignatureAlgorithm other : all) {
      EXPECT_EQ(verify(key->public_key(), other, "message", *signature), other == own)
          << static_cast<int>(own) << " as " << static_cast<int>(other);
    }
  }
}

// The order of P-256's group, and numbers beside it.
const char* const kOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const char* const kAboveOrder = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552";

TEST(Signature, EcdsaNumbersAreWithinTheGroup) {
  const auto key = PrivateKey::generate(kEcdsaP256Sha256);
  ASSERT_TRUE(key.has_value());
  const std::string good = key->sign(kEcdsaP256Sha256, "message").value();
  const std::string zero(32, '\0');
  const std::string all_ones(32, '\xff');
  for (const std::string& bad : {zero, from_hex(kOrder), from_hex(kAboveOrder), all_ones}) {
    EXPECT_FALSE(verify(key->public_key(), kEcdsaP256Sha256, "message", bad + good.substr(32)));
    EXPECT_FALSE(verify(key->public_key(), kEcdsaP256Sha256, "message", good.substr(0, 32) + bad));
    EXPECT_FALSE(verify(key->public_key(), kEcdsaP256Sha256, "message", bad + bad));
  }
  for (const std::string& bad : {std::string(), good.substr(1), good + '\0', '\0' + good, good + good}) {
    EXPECT_FALSE(verify(key->public_key(), kEcdsaP256Sha256, "message", bad)) << bad.size();
  }
  EXPECT_TRUE(verify(key->public_key(), kEcdsaP256Sha256, "message", good));
}

TEST(Signature, OneKeyServesBothRsaPaddingsInTurn) {
  const auto key = PrivateKey::generate(kRsaPssSha256);
  ASSERT_TRUE(key.has_value());
  const std::string pss = key->sign(kRsaPssSha256, "message").value();
  const std::string pkcs1 = key->sign(kRsaPkcs1Sha512, "message").value();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(verify(key->public_key(), kRsaPssSha256, "message", pss));
    EXPECT_TRUE(verify(key->public_key(), kRsaPkcs1Sha512, "message", pkcs1));
    EXPECT_FALSE(verify(key->public_key(), kRsaPssSha256, "message", pkcs1));
    EXPECT_FALSE(verify(key->public_key(), kRsaPkcs1Sha512, "message", pss));
  }
}

TEST(Signature, PssSaltIsAsLongAsTheHash) {
  // A signature with an empty salt is a valid PSS signature, but not RFC 7518 3.5's. Wycheproof's file holds
  // the other lengths.
  const auto key = PrivateKey::generate(kRsaPssSha256);
  ASSERT_TRUE(key.has_value());
  const std::string sha512 = key->sign(kRsaPssSha512, "message").value();
  EXPECT_FALSE(verify(key->public_key(), kRsaPssSha256, "message", sha512));
}

TEST(Signature, ManyThreadsShareOneKey) {
  const auto key = PrivateKey::generate(kEcdsaP256Sha256);
  ASSERT_TRUE(key.has_value());
  const std::string good = key->sign(kEcdsaP256Sha256, "message").value();
  std::string bad = good;
  bad[40] = static_cast<char>(bad[40] ^ 1);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        if (!verify(key->public_key(), kEcdsaP256Sha256, "message", good)) ++wrong[t];
        if (verify(key->public_key(), kEcdsaP256Sha256, "message", bad)) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace holdfast::crypto
