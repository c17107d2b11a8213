#include "memory_watch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../net/loopback.h"

namespace holdfast {
namespace {

using namespace std::chrono_literals;
using testing::turn_until;

struct Log final : pipeline::EventLog {
  std::vector<std::string> lines;
  void event(pipeline::Level, std::string_view name, std::span<const pipeline::EventField> fields) override {
    std::string line(name);
    for (const pipeline::EventField& field : fields) line += " " + std::string(field.value);
    lines.push_back(std::move(line));
  }
};

TEST(MemoryWatch, GoesOnAtNineTenthsAndOffWithAnEighthFree) {
  net::Worker control(0);
  Log log;
  std::uint64_t resident = 0;
  int released = 0;
  MemoryWatch watch(control, log, 1000, [&] { return resident; }, [&] { ++released; });
  watch.start();
  const struct {
    std::uint64_t resident;
    bool overloaded;
  } steps[] = {{899, false}, {900, true}, {899, true}, {876, true}, {875, false}, {899, false}, {2000, true}};
  for (const auto& step : steps) {
    resident = step.resident;
    const bool before = watch.overloaded();
    if (before == step.overloaded) {
      turn_until(control, [] { return false; }, 1100ms);
      EXPECT_EQ(watch.overloaded(), step.overloaded) << step.resident;
    } else {
      EXPECT_TRUE(turn_until(control, [&] { return watch.overloaded() == step.overloaded; }))
          << step.resident;
    }
  }
  EXPECT_EQ(log.lines, (std::vector<std::string>{"overloaded 900 1000", "no_longer_overloaded 875 1000",
                                                 "overloaded 2000 1000"}));
  EXPECT_GE(released, 3) << "only while it matters";
  watch.stop();
}

TEST(MemoryWatch, WhatIsOnlyKeptIsGivenBackBeforeItCounts) {
  net::Worker control(0);
  Log log;
  std::uint64_t resident = 950;
  MemoryWatch watch(control, log, 1000, [&] { return resident; }, [&] { resident = 100; });
  watch.start();
  EXPECT_TRUE(watch.overloaded());
  EXPECT_TRUE(turn_until(control, [&] { return !watch.overloaded(); }));
  watch.stop();
}

TEST(MemoryWatch, ReadsLimits) {
  EXPECT_EQ(memory_of_cgroup("134217728"), 134217728U);
  for (const char* text : {"max", "", "0", "-1", "1 2", "1x", "99999999999999999999999"}) {
    EXPECT_FALSE(memory_of_cgroup(text)) << text;
  }
  EXPECT_GT(memory_limit(std::nullopt), resident_memory());
  EXPECT_EQ(memory_limit(1), 1U);
  EXPECT_EQ(memory_limit(std::uint64_t{1} << 62), memory_limit(std::nullopt));
}

TEST(MemoryWatch, KnowsWhatTheProcessUsesAndGivesBack) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer's allocator gives nothing back";
#endif
  const std::uint64_t before = resident_memory();
  {
    std::vector<std::string> held;
    for (int i = 0; i < 4000; ++i) held.emplace_back(16 * 1024, 'x');
    EXPECT_GE(resident_memory(), before + (48u << 20));
  }
  release_memory();
  EXPECT_LT(resident_memory(), before + (16u << 20));
}

}  // namespace
}  // namespace holdfast
