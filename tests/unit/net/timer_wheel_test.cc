#include "net/timer_wheel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace holdfast::net {
namespace {

using std::chrono::milliseconds;

SteadyTime fake_now;
SteadyTime fake_clock() {
  return fake_now;
}

class Probe final : public Expirable {
 public:
  explicit Probe(TimerWheel& wheel, int which = 0) : deadline(wheel, *this, which) {}
  void on_deadline(int which) override {
    fired.push_back(which);
    at = fake_now;
    if (then) then();
  }
  Deadline deadline;
  std::vector<int> fired;
  SteadyTime at;
  std::function<void()> then;
};

class TimerWheelTest : public ::testing::Test {
 protected:
  void pass(milliseconds time, milliseconds step = milliseconds(1)) {
    for (milliseconds gone{0}; gone < time; gone += step) {
      fake_now += step;
      wheel_.advance();
    }
  }
  TimerWheel wheel_{&fake_clock};
};

TEST_F(TimerWheelTest, FiresNeverEarlyAndAtMostTwoTicksLate) {
  // Below, at and beyond one turn of the wheel (10.24 s), from every phase of a tick.
  for (const int after : {0, 1, 9, 10, 11, 500, 10'230, 10'240, 10'250, 75'000, 300'000}) {
    for (const int phase : {0, 3, 9}) {
      pass(milliseconds(phase));
      Probe probe(wheel_);
      const SteadyTime armed = fake_now;
      probe.deadline.arm(milliseconds(after));
      pass(milliseconds(after + 20));
      ASSERT_EQ(probe.fired.size(), 1u) << after << " from phase " << phase;
      EXPECT_GE(probe.at - armed, milliseconds(after));
      EXPECT_LE(probe.at - armed, milliseconds(after + 20));
      EXPECT_FALSE(probe.deadline.armed());
    }
  }
}

TEST_F(TimerWheelTest, MovingLaterAndEarlier) {
  Probe probe(wheel_, 7);
  probe.deadline.arm(milliseconds(100));
  pass(milliseconds(90));
  probe.deadline.arm(milliseconds(100));
  pass(milliseconds(90));
  EXPECT_TRUE(probe.fired.empty());
  pass(milliseconds(30));
  EXPECT_EQ(probe.fired, std::vector<int>{7});

  probe.deadline.arm(milliseconds(60'000));
  probe.deadline.arm(milliseconds(50));
  pass(milliseconds(70));
  EXPECT_EQ(probe.fired.size(), 2u);
}

TEST_F(TimerWheelTest, ManyMovesOverManyTurns) {
  Probe probe(wheel_);
  for (int i = 0; i < 1000; ++i) {
    probe.deadline.arm(milliseconds(5000));
    pass(milliseconds(4990), milliseconds(10));
  }
  EXPECT_TRUE(probe.fired.empty());
  pass(milliseconds(40));
  EXPECT_EQ(probe.fired.size(), 1u);
}

TEST_F(TimerWheelTest, CancelledStaysSilentAndCanBeArmedAgain) {
  Probe probe(wheel_);
  probe.deadline.arm(milliseconds(50));
  probe.deadline.cancel();
  pass(milliseconds(100));
  EXPECT_TRUE(probe.fired.empty());
  probe.deadline.arm(milliseconds(50));
  pass(milliseconds(100));
  EXPECT_EQ(probe.fired.size(), 1u);
}

TEST_F(TimerWheelTest, IsEmptyWhenNothingIsArmed) {
  EXPECT_TRUE(wheel_.empty());
  EXPECT_LT(wheel_.until_next(), milliseconds(0));
  auto probe = std::make_unique<Probe>(wheel_);
  probe->deadline.arm(milliseconds(50));
  EXPECT_FALSE(wheel_.empty());
  EXPECT_GE(wheel_.until_next(), milliseconds(50));
  EXPECT_LE(wheel_.until_next(), milliseconds(70));
  pass(milliseconds(100));
  EXPECT_TRUE(wheel_.empty());
  probe->deadline.arm(milliseconds(50));
  probe.reset();
  EXPECT_TRUE(wheel_.empty());
}

TEST_F(TimerWheelTest, UntilNextReachesAcrossUnusedSlots) {
  for (const int after : {10, 640, 650, 5000, 10'000}) {
    Probe probe(wheel_);
    probe.deadline.arm(milliseconds(after));
    const milliseconds wait = wheel_.until_next();
    EXPECT_GE(wait, milliseconds(after)) << after;
    EXPECT_LE(wait, milliseconds(after + 20)) << after;
    pass(wait, wait);
    EXPECT_EQ(probe.fired.size(), 1u) << after;
  }
}

TEST_F(TimerWheelTest, SleepsInStepsOfItsOwnAdvice) {
  Probe probe(wheel_);
  const SteadyTime armed = fake_now;
  probe.deadline.arm(milliseconds(75'000));
  int turns = 0;
  while (probe.fired.empty() && ++turns < 100) {
    fake_now += wheel_.until_next();
    wheel_.advance();
  }
  EXPECT_GE(probe.at - armed, milliseconds(75'000));
  EXPECT_LE(probe.at - armed, milliseconds(75'020));
  EXPECT_LT(turns, 20);  // not a hundred times a second
}

TEST_F(TimerWheelTest, CallbacksMayDestroyCancelAndArmOthersThatAreDue) {
  Probe first(wheel_, 1);
  auto destroyed = std::make_unique<Probe>(wheel_, 2);
  Probe cancelled(wheel_, 3);
  Probe moved(wheel_, 4);
  first.then = [&] {
    destroyed.reset();
    cancelled.deadline.cancel();
    moved.deadline.arm(milliseconds(500));
    first.deadline.arm(milliseconds(0));
    first.then = nullptr;
  };
  for (Probe* probe : {&first, destroyed.get(), &cancelled, &moved}) probe->deadline.arm(milliseconds(10));
  fake_now += milliseconds(50);
  wheel_.advance();
  EXPECT_EQ(first.fired.size(), 1u);
  EXPECT_EQ(destroyed, nullptr);
  EXPECT_TRUE(cancelled.fired.empty());
  EXPECT_TRUE(moved.fired.empty());
  pass(milliseconds(30));
  EXPECT_EQ(first.fired.size(), 2u);
  pass(milliseconds(500));
  EXPECT_EQ(moved.fired.size(), 1u);
}

TEST_F(TimerWheelTest, ALongStallFiresEverythingOnce) {
  std::vector<std::unique_ptr<Probe>> probes;
  for (int i = 0; i < 3000; ++i) {
    probes.push_back(std::make_unique<Probe>(wheel_));
    probes.back()->deadline.arm(milliseconds(i * 7));
  }
  fake_now += std::chrono::minutes(5);
  for (std::size_t turns = 0; turns < probes.size() && !wheel_.empty(); ++turns) wheel_.advance();
  for (const auto& probe : probes) ASSERT_EQ(probe->fired.size(), 1u);
  EXPECT_TRUE(wheel_.empty());
}

// A thousand clients whose time is over together would hold up all others for as long as it takes to end
// them.
TEST_F(TimerWheelTest, WhatIsDueTogetherIsToldAFewATurn) {
  constexpr std::size_t kMany = 5 * TimerWheel::kMostATurn + 1;
  std::vector<std::unique_ptr<Probe>> probes;
  for (std::size_t i = 0; i < kMany; ++i) probes.push_back(std::make_unique<Probe>(wheel_));
  for (const auto& probe : probes) probe->deadline.arm(milliseconds(100));
  const auto fired = [&] {
    return static_cast<std::size_t>(
        std::ranges::count_if(probes, [](const auto& probe) { return !probe->fired.empty(); }));
  };
  fake_now += milliseconds(120);
  for (std::size_t turn = 1; turn <= 5; ++turn) {
    wheel_.advance();
    EXPECT_EQ(fired(), turn * TimerWheel::kMostATurn);
    EXPECT_EQ(wheel_.until_next(), milliseconds(0));
  }
  wheel_.advance();
  EXPECT_EQ(fired(), kMany);
  EXPECT_TRUE(wheel_.empty());
  EXPECT_LT(wheel_.until_next(), milliseconds(0));
}

TEST_F(TimerWheelTest, ThoseThatWaitToBeToldMayBeMovedCancelledAndDestroyed) {
  std::vector<std::unique_ptr<Probe>> first;
  for (std::size_t i = 0; i < TimerWheel::kMostATurn; ++i) first.push_back(std::make_unique<Probe>(wheel_));
  Probe moved(wheel_);
  Probe cancelled(wheel_);
  Probe waiting(wheel_);
  auto destroyed = std::make_unique<Probe>(wheel_);
  for (const auto& probe : first) probe->deadline.arm(milliseconds(100));
  for (Probe* probe : {&moved, &cancelled, destroyed.get(), &waiting}) probe->deadline.arm(milliseconds(100));
  fake_now += milliseconds(120);
  wheel_.advance();
  EXPECT_TRUE(waiting.fired.empty());
  moved.deadline.arm(milliseconds(100));
  cancelled.deadline.cancel();
  destroyed.reset();
  wheel_.advance();
  EXPECT_EQ(waiting.fired.size(), 1u);
  EXPECT_TRUE(cancelled.fired.empty());
  EXPECT_TRUE(moved.fired.empty());
  EXPECT_GE(wheel_.until_next(), milliseconds(100));
  pass(milliseconds(120));
  EXPECT_EQ(moved.fired.size(), 1u);
}

TEST(TimerWheel, MayEndWhileSomeWaitToBeTold) {
  std::vector<std::unique_ptr<Probe>> probes;
  {
    TimerWheel wheel(&fake_clock);
    for (std::size_t i = 0; i < 2 * TimerWheel::kMostATurn; ++i) {
      probes.push_back(std::make_unique<Probe>(wheel));
      probes.back()->deadline.arm(milliseconds(10));
    }
    fake_now += milliseconds(30);
    wheel.advance();
    EXPECT_TRUE(probes.back()->fired.empty());
  }
  EXPECT_FALSE(probes.back()->deadline.armed());
}

TEST_F(TimerWheelTest, ArmedAfterALongIdleTime) {
  fake_now += std::chrono::hours(30);
  Probe probe(wheel_);
  probe.deadline.arm(milliseconds(100));
  pass(milliseconds(99));
  EXPECT_TRUE(probe.fired.empty());
  pass(milliseconds(21));
  EXPECT_EQ(probe.fired.size(), 1u);
}

}  // namespace
}  // namespace holdfast::net
