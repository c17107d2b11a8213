#include "settings/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace holdfast::settings {
namespace {

TEST(Suggest, NearestKnownWord) {
  const std::vector<std::string> known{"access", "issuers", "upstream", "strip_prefix", "match"};
  EXPECT_EQ(nearest("acces", known), "access");
  EXPECT_EQ(nearest("ACCESS", known), "access");
  EXPECT_EQ(nearest("strip-prefix", known), "strip_prefix");
  EXPECT_EQ(nearest("stripPrefix", known), "strip_prefix");
  EXPECT_EQ(nearest("isuser", known), "issuers");
  EXPECT_EQ(nearest("upstraem", known), "upstream");
  EXPECT_EQ(nearest("strip", known), "strip_prefix");
  EXPECT_EQ(nearest("upstream_server", known), "upstream");
  EXPECT_EQ(nearest("st", known), std::nullopt);
  EXPECT_EQ(nearest("xyz", known), std::nullopt);
  EXPECT_EQ(nearest("", known), std::nullopt);
  EXPECT_EQ(nearest(std::string(100'000, 'a'), known), std::nullopt);
  EXPECT_EQ(did_you_mean("mach", known), "; did you mean \"match\"?");
  EXPECT_EQ(did_you_mean("zzzz", known), "");
}

}  // namespace
}  // namespace holdfast::settings
