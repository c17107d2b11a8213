#include "usable_cpus.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(UsableCpus, AQuotaIsRoundedUp) {
  EXPECT_EQ(cpus_of_quota("200000 100000"), 2U);
  EXPECT_EQ(cpus_of_quota("150000 100000"), 2U);
  EXPECT_EQ(cpus_of_quota("50000 100000"), 1U);
  EXPECT_EQ(cpus_of_quota("1000 100000"), 1U);
}

TEST(UsableCpus, NoQuotaIsNoLimit) {
  for (const char* text : {"max 100000", "-1 100000", "", "100000", "x 1", "1 x", "0 100000", "100000 0"}) {
    EXPECT_FALSE(cpus_of_quota(text)) << text;
  }
}

TEST(UsableCpus, ThereIsAlwaysOneAndNeverMoreThanEight) {
  EXPECT_GE(usable_cpus(), 1U);
  EXPECT_LE(usable_cpus(), 8U);
}

}  // namespace
}  // namespace holdfast
