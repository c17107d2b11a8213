// When a chain is valid, and whether a key is its own.
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "crypto/certificate.h"
#include "support/places.h"

namespace holdfast::crypto {
namespace {

std::string file(const std::string& name) {
  std::ifstream in(support::source_folder() / "tests/unit/settings/files" / (name + ".pem"));
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  EXPECT_FALSE(text.empty()) << name;
  return text;
}

std::chrono::sys_seconds new_year(int year) {
  return std::chrono::sys_days(std::chrono::year(year) / 1 / 1);
}

TEST(CertificateChain, IsValidAsLongAsItsFirstCertificate) {
  const auto validity = validity_of_chain(file("expired") + file("authority") + file("leaf-key"));
  ASSERT_TRUE(validity);
  EXPECT_EQ(validity->from, new_year(2020));
  EXPECT_EQ(validity->until, new_year(2021));
  EXPECT_EQ(validity_of_chain(file("leaf"))->until, new_year(2120));  // GeneralizedTime, after 2049
}

TEST(CertificateChain, IsNoneWithoutACertificateOrWithABrokenOne) {
  for (const std::string& text :
       {std::string(), std::string("junk"), file("leaf-key"),
        file("leaf") + "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        file("leaf").substr(0, 300)}) {
    EXPECT_FALSE(validity_of_chain(text)) << text;
  }
}

TEST(CertificateChain, KnowsItsKey) {
  EXPECT_EQ(fit_of_key(file("leaf-key"), file("leaf")), KeyFit::kFits);
  EXPECT_EQ(fit_of_key(file("leaf") + file("leaf-key"), file("leaf") + file("authority")), KeyFit::kFits);
  EXPECT_EQ(fit_of_key(file("other-key"), file("leaf")), KeyFit::kOfAnother);
  EXPECT_EQ(fit_of_key(file("leaf-key"), file("authority") + file("leaf")), KeyFit::kOfAnother)
      << "the first certificate counts";
  EXPECT_EQ(fit_of_key(file("leaf-key"), "junk"), KeyFit::kOfAnother);
  EXPECT_EQ(fit_of_key(file("leaf"), file("leaf")), KeyFit::kNoKey);
  EXPECT_EQ(fit_of_key(file("encrypted-key"), file("leaf")), KeyFit::kNoKey);
  EXPECT_EQ(fit_of_key("", file("leaf")), KeyFit::kNoKey);
}

}  // namespace
}  // namespace holdfast::crypto
