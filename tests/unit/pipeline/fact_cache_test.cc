#include "pipeline/fact_cache.h"

#include <gtest/gtest.h>

namespace holdfast::pipeline {
namespace {

std::shared_ptr<const int> fact(int value) {
  return std::make_shared<const int>(value);
}

TEST(FactCache, FindsWhatWasInserted) {
  FactCache<int> cache(64);
  EXPECT_EQ(cache.find("a"), nullptr);
  cache.insert("a", fact(1));
  cache.insert("b", fact(2));
  ASSERT_NE(cache.find("a"), nullptr);
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_EQ(*cache.find("b"), 2);
}

TEST(FactCache, ReplacesUnderTheSameKey) {
  FactCache<int> cache(64);
  cache.insert("a", fact(1));
  cache.insert("a", fact(2));
  EXPECT_EQ(*cache.find("a"), 2);
  cache.erase("a");
  EXPECT_EQ(cache.find("a"), nullptr) << "a replaced entry left its predecessor behind";
}

TEST(FactCache, NeverHoldsMoreThanItsCapacity) {
  FactCache<int> cache(64);
  for (int i = 0; i < 10000; ++i) cache.insert("key" + std::to_string(i), fact(i));
  std::size_t held = 0;
  for (int i = 0; i < 10000; ++i) held += cache.find("key" + std::to_string(i)) != nullptr ? 1U : 0U;
  EXPECT_LE(held, cache.capacity());
  EXPECT_GT(held, 0U);
}

TEST(FactCache, KeepsNothingUnderALongKey) {
  FactCache<int> cache(64);
  const std::string longest(FactCache<int>::kLongestKey, 'a');
  cache.insert(longest, fact(1));
  cache.insert(longest + "a", fact(2));
  EXPECT_NE(cache.find(longest), nullptr);
  EXPECT_EQ(cache.find(longest + "a"), nullptr);
}

TEST(FactCache, TheOneNotUsedForLongestMakesRoom) {
  FactCache<int> cache(8);  // one set
  for (int i = 0; i < 8; ++i) cache.insert("key" + std::to_string(i), fact(i));
  ASSERT_NE(cache.find("key0"), nullptr);  // used again, so key1 is the oldest
  cache.insert("new", fact(8));
  EXPECT_NE(cache.find("key0"), nullptr);
  EXPECT_EQ(cache.find("key1"), nullptr);
  EXPECT_NE(cache.find("new"), nullptr);
}

TEST(FactCache, BytesHaveABudget) {
  FactCache<int> cache(64, 8000);
  for (int i = 0; i < 1000; ++i) {
    const std::size_t bytes = 1 + static_cast<std::size_t>(i * 37 % 1000);
    cache.insert("key" + std::to_string(i), fact(i), bytes);
    EXPECT_NE(cache.find("key" + std::to_string(i)), nullptr) << i;
    EXPECT_LE(cache.bytes(), 8000U);
  }
  EXPECT_GT(cache.bytes(), 4000U);
  cache.insert("large", fact(1), 1001);
  EXPECT_EQ(cache.find("large"), nullptr) << "one must not drive out a crowd";
  // What is counted is what is there.
  cache.insert("key999", fact(1), 1);
  const std::size_t before = cache.bytes();
  cache.insert("key999", fact(2), 501);
  EXPECT_EQ(cache.bytes(), before + 500);
  cache.insert("key999", fact(3), 9000);
  EXPECT_EQ(cache.find("key999"), nullptr) << "its predecessor is no fact any more";
  EXPECT_EQ(cache.bytes(), before - 1);
  cache.clear();
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(FactCache, AFactStaysWithItsHolderAfterItLeft) {
  FactCache<int> cache(8);
  cache.insert("a", fact(7));
  const auto held = cache.find("a");
  cache.clear();
  EXPECT_EQ(cache.find("a"), nullptr);
  EXPECT_EQ(*held, 7);
}

}  // namespace
}  // namespace holdfast::pipeline
