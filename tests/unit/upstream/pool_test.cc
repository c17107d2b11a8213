#include "upstream/pool.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "world.h"

namespace holdfast::upstream {
namespace {

TEST(Pool, TriesTheNextServerWhenOneIsAway) {
  World world(2);
  world.backend(0).close();
  for (int i = 0; i < 2; ++i) {
    const Ref<Client> client = world.get();
    const auto peer = world.accept(1);
    world.receive_head(*peer);
    peer->send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
    EXPECT_EQ(client->servers.back(), "server-1");
  }
}

TEST(Pool, TriesTheAddressesOfAServerInTurn) {
  World world(2);
  world.backend(1).close();
  world.pools().set_endpoints(0, 0, {world.backend(1).endpoint(), world.backend(0).endpoint()});
  world.pools().set_endpoints(0, 1, {world.backend(1).endpoint(), world.backend(0).endpoint()});
  for (int i = 0; i < 3; ++i) {
    const Ref<Client> client = world.get();
    const auto peer = world.accept(0);
    world.receive_head(*peer);
    peer->send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
    EXPECT_EQ(client->servers.size(), 1U);
  }
}

TEST(Pool, IsUnreachableWhenAllServersAreAway) {
  World world(2);
  world.backend(0).close();
  world.backend(1).close();
  const Ref<Client> client = world.request("POST", {http::BodyLength::Kind::kKnown, 2});
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendUnreachable);
  EXPECT_EQ(client->granted, 0U);  // no byte of the body was asked for
  EXPECT_EQ(world.shared().upstream(0).connections.load(), 0U);
}

TEST(Pool, ARetiredPoolEndsWhatItHasAndKeepsNothing) {
  World world;
  const Ref<Client> first = world.get();
  const auto idle = world.accept();
  world.receive_head(*idle);
  const Ref<Client> second = world.get();
  const auto busy = world.accept();
  world.receive_head(*busy);
  idle->send(kOk);
  ASSERT_TRUE(world.until([&] { return first->over(); }));

  const std::size_t number = world.shared().add(world.config());
  world.pools().add(number, world.config());
  world.pools().set_endpoints(number, 0, {world.backend().endpoint()});
  world.pools().retire(0);
  EXPECT_TRUE(world.until([&] { return idle->ended(); })) << "nobody will come for it";
  busy->send(kOk);
  ASSERT_TRUE(world.until([&] { return second->over(); }));
  EXPECT_TRUE(second->ended);
  EXPECT_TRUE(world.until([&] { return busy->ended(); }));
  EXPECT_EQ(world.shared().upstream(0).connections.load(), 0U);

  // One that began under the rules before still finds its pool; those of the new rules the new one.
  for (const std::size_t upstream : {std::size_t{0}, number}) {
    const Ref<Client> client = world.request_on(world.pools(), "GET", {}, {}, upstream);
    const auto peer = world.accept();
    world.receive_head(*peer);
    peer->send(kOk);
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
    if (upstream == 0) {
      EXPECT_TRUE(world.until([&] { return peer->ended(); }));
    } else {
      world.settle();
      EXPECT_FALSE(peer->ended());
    }
  }
}

TEST(Pool, IsUnreachableWithoutAddresses) {
  World world;
  world.pools().set_endpoints(0, 0, {});
  const Ref<Client> client = world.get();
  ASSERT_TRUE(world.until([&] { return client->over(); }));
  EXPECT_EQ(client->reset, Cause::kBackendUnreachable);
}

TEST(Pool, QueuesBeyondItsConnectionsAndRefusesBeyondItsQueue) {
  World world(1, [](Config& config) {
    config.max_connections = 1;
    config.queue = 1;
  });
  const Ref<Client> first = world.get();
  EXPECT_FALSE(world.pools().is_overloaded(0));
  const Ref<Client> second = world.get();
  EXPECT_TRUE(world.pools().is_overloaded(0));
  const Ref<Client> third = world.get();
  ASSERT_TRUE(world.until([&] { return third->over(); }));
  EXPECT_EQ(third->reset, Cause::kOverloaded);
  const auto peer = world.accept();
  for (const Ref<Client>& client : {first, second}) {
    world.receive_head(*peer);
    EXPECT_FALSE(client->over());
    peer->send(kOk);
    ASSERT_TRUE(world.until([&] { return client->over(); }));
    EXPECT_TRUE(client->ended);
  }
  EXPECT_EQ(world.backend().accepted(), 1U);
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 0U);
  EXPECT_FALSE(world.pools().is_overloaded(0));
}

TEST(Pool, WaitsNoLongerThanForAConnection) {
  World world(1, [](Config& config) {
    config.max_connections = 1;
    config.timeouts.connect = 50ms;
  });
  const Ref<Client> first = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  const Ref<Client> second = world.get();
  ASSERT_TRUE(world.until([&] { return second->over(); }));
  EXPECT_EQ(second->reset, Cause::kOverloaded) << "the backend is there, and busy";
  EXPECT_FALSE(first->over());
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 0U);
}

TEST(Pool, AWaitingRequestGetsThePlaceOfABrokenConnection) {
  World world(1, [](Config& config) { config.max_connections = 1; });
  const Ref<Client> first = world.get();
  const Ref<Client> second = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send("garbage\r\n\r\n");
  const auto fresh = world.accept();
  EXPECT_TRUE(first->over());
  world.receive_head(*fresh);
  fresh->send(kOk);
  ASSERT_TRUE(world.until([&] { return second->over(); }));
  EXPECT_TRUE(second->ended);
}

TEST(Pool, AWaitingRequestCanBeCancelled) {
  World world(1, [](Config& config) { config.max_connections = 1; });
  const Ref<Client> first = world.get();
  const Ref<Client> second = world.get();
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 1U);
  second->backend->on_request_cancel(Cause::kClientGone);
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 0U);
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return first->over(); }));
  world.settle();
  EXPECT_EQ(peer->received(), "");
}

// The limit is the process's: another worker's idle connection gives way.
TEST(Pool, AnIdleConnectionOfAnotherWorkerMakesRoom) {
  World world(1, [](Config& config) { config.max_connections = 1; });
  net::Worker other(1);
  const std::unique_ptr<Pools> other_pools = world.make_pools(other);
  const Ref<Client> first = world.get();
  const auto peer = world.accept();
  world.receive_head(*peer);
  peer->send(kOk);
  ASSERT_TRUE(world.until([&] { return first->over(); }));
  const Ref<Client> second = world.request_on(*other_pools, "GET");
  EXPECT_EQ(world.shared().upstream(0).waiting.load(), 1U);
  std::unique_ptr<Peer> fresh;
  ASSERT_TRUE(world.until([&] { return (fresh = world.backend().accept()) != nullptr; }, &other));
  EXPECT_TRUE(peer->ended());
  ASSERT_TRUE(world.until([&] { return fresh->received().ends_with("\r\n\r\n"); }, &other));
  fresh->send(kOk);
  ASSERT_TRUE(world.until([&] { return second->over(); }, &other));
  EXPECT_TRUE(second->ended);
  EXPECT_EQ(world.shared().upstream(0).connections.load(), 1U);
}

TEST(Pool, CountsConnectionsAndRequests) {
  World world;
  UpstreamState& state = world.shared().upstream(0);
  std::vector<Ref<Client>> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(world.get());
  EXPECT_EQ(state.connections.load(), 3U);
  EXPECT_EQ(state.servers[0].in_flight.load(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto peer = world.accept();
    world.receive_head(*peer);
    peer->send(kOk);
    ASSERT_TRUE(world.until([&] {
      return static_cast<std::size_t>(std::count_if(clients.begin(), clients.end(),
                                                    [](const Ref<Client>& c) { return c->ended; })) == i + 1;
    }));
  }
  EXPECT_EQ(state.servers[0].in_flight.load(), 0U);
}

}  // namespace
}  // namespace holdfast::upstream
