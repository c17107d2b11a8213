// Rule 16: a reload that widens the window does so only for proofs issued after it.
#include "dpop/window.h"

#include <gtest/gtest.h>

namespace holdfast::dpop {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr UnixTime kReload{seconds(1'700'000'000)};
constexpr Window kMinute{.max_age = seconds(60), .clock_skew = seconds(10)};
constexpr Window kHour{.max_age = hours(1), .clock_skew = seconds(10)};

TEST(Window, ReachesMaxAgeAndSkewAfterIat) {
  EXPECT_EQ(kMinute.reach(kReload), seconds(70));
}

TEST(Window, WiderOnlyForProofsIssuedAfterTheReload) {
  const Window window = succeed(kMinute, kHour, kReload);
  EXPECT_EQ(window.reach(kReload - hours(1)), seconds(70));
  EXPECT_EQ(window.reach(kReload), seconds(70));
  // dated so by a clock that is ahead, and let in before
  EXPECT_EQ(window.reach(kReload + seconds(10)), seconds(70));
  EXPECT_EQ(window.reach(kReload + seconds(11)), hours(1) + seconds(10));
}

TEST(Window, NarrowerAtOnce) {
  const Window window = succeed(kHour, kMinute, kReload);
  EXPECT_EQ(window.reach(kReload - seconds(1)), seconds(70));
  EXPECT_FALSE(window.earlier.has_value());
}

TEST(Window, AWiderSkewWidens) {
  const Window window = succeed(kMinute, {.max_age = seconds(60), .clock_skew = seconds(30)}, kReload);
  EXPECT_EQ(window.reach(kReload), seconds(70));
  EXPECT_EQ(window.reach(kReload + seconds(11)), seconds(90));
}

TEST(Window, AnEarlierReloadHoldsBackUntilNobodyIsLeft) {
  const Window first = succeed(kMinute, kHour, kReload);
  // one that changes nothing of it
  const Window same = succeed(first, kHour, kReload + seconds(300));
  EXPECT_EQ(same.reach(kReload), seconds(70));
  EXPECT_EQ(same.reach(kReload + seconds(11)), hours(1) + seconds(10));
  // one that widens again: nobody gets more than what the narrowest gave
  const Window wider =
      succeed(same, {.max_age = hours(2), .clock_skew = seconds(10)}, kReload + seconds(600));
  EXPECT_EQ(wider.reach(kReload), seconds(70));
  EXPECT_EQ(wider.reach(kReload + seconds(300)), seconds(70));
  EXPECT_EQ(wider.reach(kReload + seconds(611)), hours(2) + seconds(10));
  // there and back
  const Window back = succeed(succeed(kHour, kMinute, kReload), kHour, kReload + seconds(20));
  EXPECT_EQ(back.reach(kReload), seconds(70));
  // all who were held back are too old
  EXPECT_FALSE(succeed(first, kHour, kReload + hours(2)).earlier.has_value());
}

TEST(Window, AReloadKeepsSinceWhenNoncesCount) {
  Window window = kMinute;
  window.nonces_since = kReload;
  EXPECT_EQ(succeed(window, kMinute, kReload + seconds(5)).nonces_since, kReload);
}

}  // namespace
}  // namespace holdfast::dpop
