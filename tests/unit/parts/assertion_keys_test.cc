#include "parts/assertion_keys.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "crypto/private_key.h"
#include "support/holdfast_process.h"

namespace holdfast::parts {
namespace {

using crypto::SignatureAlgorithm;

class AssertionKeysTest : public ::testing::Test {
 protected:
  std::filesystem::path write_key(const std::string& name, SignatureAlgorithm algorithm) {
    const auto pem = crypto::PrivateKey::generate(algorithm)->to_pem();
    folder.write(name, std::string(pem->reveal()));
    return folder.path() / name;
  }
  std::string error_of(const settings::Assertion& assertion) {
    const auto made = make_assertion_signer(assertion);
    return made ? "none" : made.error();
  }
  support::TemporaryFolder folder;
};

TEST_F(AssertionKeysTest, BothKeysArePublished) {
  settings::Assertion assertion;
  assertion.key = write_key("new.pem", SignatureAlgorithm::kEcdsaP256Sha256);
  const auto alone = make_assertion_signer(assertion);
  ASSERT_TRUE(alone) << alone.error();
  assertion.previous_key = write_key("old.pem", SignatureAlgorithm::kEcdsaP256Sha256);
  const auto both = make_assertion_signer(assertion);
  ASSERT_TRUE(both) << both.error();
  EXPECT_GT((*both)->key_set().size(), (*alone)->key_set().size());
  EXPECT_EQ((*both)->settings().header, "X-Auth-Assertion");
}

TEST_F(AssertionKeysTest, WhatCannotSignIsNamedAndNotQuoted) {
  settings::Assertion assertion;
  assertion.key = folder.path() / "absent.pem";
  EXPECT_NE(error_of(assertion).find("absent.pem"), std::string::npos);
  folder.write("junk.pem", "SECRET-JUNK");
  assertion.key = folder.path() / "junk.pem";
  EXPECT_NE(error_of(assertion).find("no unencrypted private key"), std::string::npos);
  EXPECT_EQ(error_of(assertion).find("SECRET"), std::string::npos);
  assertion.key = write_key("p384.pem", SignatureAlgorithm::kEcdsaP384Sha384);
  EXPECT_NE(error_of(assertion).find("does not fit ES256"), std::string::npos);
  assertion.key = write_key("good.pem", SignatureAlgorithm::kEcdsaP256Sha256);
  assertion.previous_key = write_key("rsa.pem", SignatureAlgorithm::kRsaPssSha256);
  EXPECT_NE(error_of(assertion).find("rsa.pem"), std::string::npos);
}

}  // namespace
}  // namespace holdfast::parts
