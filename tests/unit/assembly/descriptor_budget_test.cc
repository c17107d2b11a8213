#include "descriptor_budget.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

settings::Settings with(std::vector<std::size_t> listeners) {
  settings::Settings settings;
  for (const std::size_t limit : listeners) {
    settings.listeners.emplace_back();
    settings.listeners.back().limits.max_connections = limit;
  }
  settings.upstreams.emplace_back();
  return settings;
}

TEST(DescriptorBudget, ThereIsEnoughForAll) {
  const auto budget = budget_descriptors(with({10'000, 500}), 20'000);
  ASSERT_TRUE(budget);
  EXPECT_EQ(budget->max_connections, (std::vector<std::size_t>{10'000, 500}));
  EXPECT_FALSE(budget->lowered);
}

TEST(DescriptorBudget, DefaultsShareWhatIsLeft) {
  const auto budget = budget_descriptors(with({10'000, 10'000, 100}), 4096);
  ASSERT_TRUE(budget);
  EXPECT_EQ(budget->max_connections[0], (4096 - 128 - 1024 - 100) / 2);
  EXPECT_EQ(budget->max_connections[0], budget->max_connections[1]);
  EXPECT_EQ(budget->max_connections[2], 100U);
  EXPECT_TRUE(budget->lowered);
}

TEST(DescriptorBudget, APromiseThatCannotBeKeptIsAnError) {
  const auto budget = budget_descriptors(with({9'999}), 4096);
  ASSERT_FALSE(budget);
  EXPECT_NE(budget.error().find("need 11151 file descriptors, this process may have 4096"), std::string::npos)
      << budget.error();
}

TEST(DescriptorBudget, ADefaultThatLeavesNothingIsAnErrorToo) {
  EXPECT_FALSE(budget_descriptors(with({10'000}), 1024));
}

}  // namespace
}  // namespace holdfast
