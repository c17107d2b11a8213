#include "issuer/schedule.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::issuer {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const SteadyTime kStart{seconds(5000)};

TEST(RefetchLimiter, ABurstOfThreeAndThenOneAnInterval) {
  RefetchLimiter limiter(seconds(10));
  struct Case {
    Millis at;
    bool taken;
  };
  for (const Case& c :
       {Case{Millis(0), true}, Case{Millis(1), true}, Case{Millis(2), true}, Case{Millis(3), false},
        Case{Millis(9'999), false}, Case{Millis(10'000), true}, Case{Millis(10'001), false},
        Case{Millis(19'999), false}, Case{Millis(20'000), true}, Case{Millis(20'000), false},
        // a quiet minute gives the burst back, and no more
        Case{Millis(80'000), true}, Case{Millis(80'000), true}, Case{Millis(80'000), true},
        Case{Millis(80'000), false}, Case{Millis(89'000), false}, Case{Millis(90'000), true}}) {
    EXPECT_EQ(limiter.take(kStart + c.at), c.taken) << c.at.count();
  }
}

TEST(RefetchLimiter, NeverMoreThanBurstAndOneAnIntervalUnderAFlood) {
  RefetchLimiter limiter(seconds(10));
  int taken = 0;
  for (Millis at{0}; at <= minutes(10); at += Millis(7)) taken += limiter.take(kStart + at) ? 1 : 0;
  EXPECT_GE(taken, 60);
  EXPECT_LE(taken, RefetchLimiter::kBurst + 60);
}

TEST(RefreshSchedule, RefreshesALittleBeforeTheInterval) {
  RefreshSchedule schedule(minutes(5));
  EXPECT_EQ(schedule.after_success(0), minutes(5));
  EXPECT_EQ(schedule.after_success(0.5), seconds(285));
  EXPECT_GE(schedule.after_success(0.999), seconds(270));
}

TEST(RefreshSchedule, RetriesQuicklyAndThenPatiently) {
  RefreshSchedule schedule(minutes(5));
  std::vector<Millis::rep> waits;
  for (int i = 0; i < 40; ++i) waits.push_back(schedule.after_failure(0).count());
  EXPECT_EQ(std::vector(waits.begin(), waits.begin() + 7),
            (std::vector<Millis::rep>{500, 1000, 2000, 4000, 8000, 10'000, 10'000}));
  EXPECT_EQ(waits.back(), 10'000);
  EXPECT_EQ(schedule.after_success(0), minutes(5));
  EXPECT_EQ(schedule.after_failure(0), Millis(500)) << "a success begins anew";
}

TEST(RefreshSchedule, NeverRetriesMoreRarelyThanItRefreshes) {
  RefreshSchedule schedule(Millis(800));
  for (int i = 0; i < 10; ++i) EXPECT_LE(schedule.after_failure(0), Millis(800));
}

}  // namespace
}  // namespace holdfast::issuer
