#include "parts/nonce_secrets.h"

#include <gtest/gtest.h>

namespace holdfast::parts {
namespace {

using namespace std::chrono_literals;

const std::string kOld = "0123456789abcdef0123456789abcdef";
const std::string kNew = "fedcba9876543210fedcba9876543210";
constexpr UnixTime kNow{std::chrono::seconds(1'800'000'000)};

TEST(NonceSecrets, ARotatedSecretStillTakesThePreviousOnesNonces) {
  const auto before = nonce_issuer_of(kOld + "\n", 5min);
  const auto after = nonce_issuer_of(kNew + "\r\n" + kOld + "\n", 5min);
  const auto without = nonce_issuer_of(kNew, 5min);
  ASSERT_TRUE(before && after && without);
  const std::string nonce = (*before)->issue(kNow);
  EXPECT_TRUE((*after)->judge(nonce, kNow));
  EXPECT_FALSE((*without)->judge(nonce, kNow));
  EXPECT_TRUE((*without)->judge((*after)->issue(kNow), kNow)) << "the first line is the current one";
}

TEST(NonceSecrets, WhatIsNoSecretIsNamedWithoutBeingQuoted) {
  for (const std::string& contents :
       {std::string(), std::string("short"), kNew + "\nshort", kNew + "\n" + kOld + "\n" + kOld}) {
    const auto issuer = nonce_issuer_of(contents, 5min);
    ASSERT_FALSE(issuer) << contents;
    EXPECT_EQ(issuer.error().find("short\n"), std::string::npos);
    EXPECT_EQ(issuer.error().find(kNew), std::string::npos);
  }
}

}  // namespace
}  // namespace holdfast::parts
