#include "upstream/balancer.h"

#include <gtest/gtest.h>

#include <map>

namespace holdfast::upstream {
namespace {

Config config_of(Balance balance, std::vector<unsigned> weights) {
  Config config;
  config.balance = balance;
  for (const unsigned weight : weights)
    config.servers.push_back({.name = {}, .server_name = {}, .weight = weight});
  return config;
}

TEST(Balancer, RoundRobinTakesTurnsByWeight) {
  const Config config = config_of(Balance::kRoundRobin, {2, 1, 1});
  const UpstreamState state(3);
  Balancer balancer(config, state, 0);
  std::vector<std::size_t> picks;
  for (int i = 0; i < 8; ++i) picks.push_back(*balancer.pick({}));
  EXPECT_EQ(picks, (std::vector<std::size_t>{0, 1, 2, 0, 0, 1, 2, 0}));
}

TEST(Balancer, WorkersBeginApart) {
  const Config config = config_of(Balance::kRoundRobin, {1, 1});
  const UpstreamState state(2);
  EXPECT_NE(*Balancer(config, state, 0).pick({}), *Balancer(config, state, 1).pick({}));
}

TEST(Balancer, LeastRequestTakesTheFreest) {
  const Config config = config_of(Balance::kLeastRequest, {1, 1, 2});
  UpstreamState state(3);
  Balancer balancer(config, state, 0);
  state.servers[0].in_flight = 3;
  state.servers[1].in_flight = 2;
  state.servers[2].in_flight = 6;
  EXPECT_EQ(balancer.pick({}), 1U);
  state.servers[2].in_flight = 3;  // (3 + 1) / 2 is less than (2 + 1) / 1
  EXPECT_EQ(balancer.pick({}), 2U);
}

TEST(Balancer, LeastRequestLetsEqualsTakeTurns) {
  const Config config = config_of(Balance::kLeastRequest, {1, 1, 1});
  const UpstreamState state(3);
  Balancer balancer(config, state, 0);
  std::map<std::size_t, int> picks;
  for (int i = 0; i < 9; ++i) ++picks[*balancer.pick({})];
  EXPECT_EQ(picks, (std::map<std::size_t, int>{{0, 3}, {1, 3}, {2, 3}}));
}

TEST(Balancer, LeavesOutWhatWasTried) {
  for (const Balance balance : {Balance::kRoundRobin, Balance::kLeastRequest}) {
    const Config config = config_of(balance, {1, 5});
    const UpstreamState state(2);
    Balancer balancer(config, state, 0);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(balancer.pick({false, true}), 0U);
    EXPECT_EQ(balancer.pick({true, true}), std::nullopt);
  }
}

}  // namespace
}  // namespace holdfast::upstream
