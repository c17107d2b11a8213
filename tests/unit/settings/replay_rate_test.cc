#include "settings/replay_rate.h"

#include <gtest/gtest.h>

namespace holdfast::settings {
namespace {

Settings with_route(Access access, NonceMode nonce) {
  Settings settings;
  settings.routes.emplace_back();
  settings.routes[0].access = access;
  settings.routes[0].nonce = nonce;
  return settings;
}

TEST(ReplayRate, IsTheCapacityOverTheTimeThatAProofIsKept) {
  const auto rate = replay_rate(with_route(Access::kDpop, NonceMode::kOff));
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->kept, seconds(80));  // max_age and twice the skew
  EXPECT_EQ(rate->capacity, 4'000'000U);
  EXPECT_EQ(rate->per_second, 50'000U);
  EXPECT_EQ(rate->per_second_of_one_key, 5'000U);
}

TEST(ReplayRate, NoncesKeepProofsForTheirOwnTime) {
  const auto rate = replay_rate(with_route(Access::kDpopOrBearer, NonceMode::kRequired));
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->kept, seconds(340));  // lifetime, a slot (a tenth of it) and the skew
  EXPECT_EQ(rate->per_second, 11'764U);
}

TEST(ReplayRate, CountsWhatTheFileSays) {
  Settings settings = with_route(Access::kDpop, NonceMode::kOff);
  settings.dpop.max_age = seconds(5);
  settings.dpop.clock_skew = seconds(0);
  settings.dpop.replay.capacity = 1000;
  settings.dpop.replay.per_key = 1;
  const auto rate = replay_rate(settings);
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->per_second, 200U);
  EXPECT_EQ(rate->per_second_of_one_key, 200U);
}

TEST(ReplayRate, IsNothingWhereNobodyProvesAnything) {
  EXPECT_FALSE(replay_rate(with_route(Access::kPublic, NonceMode::kOff)));
  EXPECT_FALSE(replay_rate(with_route(Access::kDeny, NonceMode::kOff)));
}

}  // namespace
}  // namespace holdfast::settings
