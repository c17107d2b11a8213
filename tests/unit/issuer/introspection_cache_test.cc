// Rule 22's cache: until when, how many and how much.
#include "issuer/introspection_cache.h"

#include <gtest/gtest.h>

namespace holdfast::issuer {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr SteadyTime kNow{hours(1)};

IntrospectionKey key(int first, std::size_t issuer = 0) {
  IntrospectionKey key{.issuer = issuer};
  key.digest[0] = static_cast<std::uint8_t>(first);
  return key;
}

IntrospectionAnswerPtr answer(SteadyTime until = kNow + seconds(30), std::size_t bytes = 100) {
  return std::make_shared<const IntrospectionAnswer>(
      IntrospectionAnswer{.result = refuse(Reason::token_inactive), .until = until, .bytes = bytes});
}

TEST(IntrospectionCache, AnAnswerIsThereUntilItsTime) {
  IntrospectionCache cache(10, 10'000);
  EXPECT_EQ(cache.find(key(1), kNow), nullptr);
  const auto kept = answer();
  cache.insert(key(1), kept);
  EXPECT_EQ(cache.find(key(1), kNow), kept);
  EXPECT_EQ(cache.find(key(1, 1), kNow), nullptr) << "another issuer did not say it";
  EXPECT_EQ(cache.find(key(2), kNow), nullptr);
  EXPECT_EQ(cache.find(key(1), kNow + seconds(30) - Millis(1)), kept);
  EXPECT_EQ(cache.find(key(1), kNow + seconds(30)), nullptr);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(IntrospectionCache, ANewAnswerTakesTheOldOnesPlace) {
  IntrospectionCache cache(10, 10'000);
  cache.insert(key(1), answer(kNow + seconds(30), 100));
  const auto newer = answer(kNow + seconds(60), 300);
  cache.insert(key(1), newer);
  EXPECT_EQ(cache.find(key(1), kNow + seconds(40)), newer);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_EQ(cache.bytes(), 300U);
}

TEST(IntrospectionCache, WhatWasNotUsedForLongestMakesRoomForANumber) {
  IntrospectionCache cache(3, 10'000);
  for (const int each : {1, 2, 3}) cache.insert(key(each), answer());
  EXPECT_NE(cache.find(key(1), kNow), nullptr);
  cache.insert(key(4), answer());
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_EQ(cache.find(key(2), kNow), nullptr);
  for (const int each : {1, 3, 4}) EXPECT_NE(cache.find(key(each), kNow), nullptr) << each;
}

TEST(IntrospectionCache, AndForBytes) {
  IntrospectionCache cache(100, 1'000);
  for (const int each : {1, 2, 3}) cache.insert(key(each), answer(kNow + seconds(30), 300));
  cache.insert(key(4), answer(kNow + seconds(30), 500));
  EXPECT_EQ(cache.bytes(), 800U);
  EXPECT_EQ(cache.find(key(1), kNow), nullptr);
  EXPECT_EQ(cache.find(key(2), kNow), nullptr);
  EXPECT_NE(cache.find(key(3), kNow), nullptr);
  cache.insert(key(5), answer(kNow + seconds(30), 1'001));
  EXPECT_EQ(cache.find(key(5), kNow), nullptr) << "it would push out all others";
  EXPECT_NE(cache.find(key(4), kNow), nullptr);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

}  // namespace
}  // namespace holdfast::issuer
