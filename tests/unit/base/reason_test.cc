#include "base/reason.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast {
namespace {

TEST(Reason, EachHasOneWordOfItsOwn) {
  std::set<std::string_view> names;
  for (const Reason reason : kAllReasons) {
    const std::string_view name = reason_name(reason);
    EXPECT_FALSE(name.empty());
    EXPECT_EQ(name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_"), std::string_view::npos) << name;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
  EXPECT_EQ(reason_name(Reason::no_credentials), "no_credentials");
  EXPECT_EQ(reason_name(Reason::request_timeout), "request_timeout");
}

TEST(Reason, RefusalCarriesItsDetail) {
  const Checked<int> checked = refuse(Reason::htm_mismatch, "htm names GET");
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().reason, Reason::htm_mismatch);
  EXPECT_EQ(checked.error().detail, "htm names GET");
}

}  // namespace
}  // namespace holdfast
