#include "net/connect.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <optional>

#include "loopback.h"
#include "net/resolver.h"

namespace holdfast::net {
namespace {

using testing::turn_until;

class Caller final : public ConnectOwner {
 public:
  explicit Caller(Worker& worker) : connect(worker, *this), socket(worker.io()) {}
  void on_connected(Socket got) override {
    socket = std::move(got);
    ++calls;
  }
  void on_connect_failed(int got) override {
    error = got;
    ++calls;
  }
  Connect connect;
  Socket socket;
  std::optional<int> error;
  int calls = 0;
};

// An address on loopback where nobody listens.
Endpoint closed_port() {
  return local_endpoint(open_listening_sockets({"127.0.0.1", 0}, 1)->front());
}

TEST(Connect, Succeeds) {
  const auto listening = open_listening_sockets({"127.0.0.1", 0}, 1);
  Worker worker(0);
  const auto caller = make_counted<Caller>(worker);
  caller->connect.start(local_endpoint(listening->front()), std::chrono::seconds(2));
  EXPECT_TRUE(caller->connect.under_way());
  ASSERT_TRUE(turn_until(worker, [&] { return caller->calls > 0; }));
  EXPECT_TRUE(caller->socket.is_open());
  EXPECT_TRUE(testing::is_kept_alive(caller->socket.native_handle()));
  EXPECT_FALSE(caller->connect.under_way());
}

TEST(Connect, RefusedIsAnErrorThatComesLater) {
  Worker worker(0);
  const auto caller = make_counted<Caller>(worker);
  caller->connect.start(closed_port(), std::chrono::seconds(2));
  EXPECT_EQ(caller->calls, 0);
  ASSERT_TRUE(turn_until(worker, [&] { return caller->calls > 0; }));
  EXPECT_EQ(*caller->error, ECONNREFUSED);
}

TEST(Connect, TimesOut) {
  // A queue of one that nobody takes from: further connections are not answered.
  Descriptor full(::socket(AF_INET, SOCK_STREAM, 0));
  const Endpoint any = *Endpoint::from("127.0.0.1", 0);
  ASSERT_EQ(::bind(full.fd(), any.address(), any.size()), 0);
  ASSERT_EQ(::listen(full.fd(), 0), 0);
  const Endpoint address = local_endpoint(full);
  std::vector<Descriptor> fillers;
  for (int i = 0; i < 8; ++i) {
    fillers.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    ::connect(fillers.back().fd(), address.address(), address.size());
  }
  Worker worker(0);
  const auto caller = make_counted<Caller>(worker);
  caller->connect.start(address, std::chrono::milliseconds(60));
  ASSERT_TRUE(turn_until(worker, [&] { return caller->calls > 0; }));
  EXPECT_EQ(*caller->error, ETIMEDOUT);
}

TEST(Connect, CancelledIsSilent) {
  Worker worker(0);
  const auto caller = make_counted<Caller>(worker);
  caller->connect.start(closed_port(), std::chrono::seconds(2));
  caller->connect.cancel();
  for (int i = 0; i < 5; ++i) testing::turn_once(worker, std::chrono::milliseconds(2));
  EXPECT_EQ(caller->calls, 0);
}

TEST(Connect, HoldsItsOwnerWhileUnderWay) {
  const auto listening = open_listening_sockets({"127.0.0.1", 0}, 1);
  Worker worker(0);
  {
    const auto caller = make_counted<Caller>(worker);
    caller->connect.start(local_endpoint(listening->front()), std::chrono::seconds(2));
  }
  for (int i = 0; i < 5; ++i) testing::turn_once(worker, std::chrono::milliseconds(2));
}

TEST(Resolver, ALiteralComesOnceAndAtOnce) {
  Worker worker(0);
  std::vector<Endpoints> answers;
  const Resolver resolver(worker, "::1", 443, std::chrono::milliseconds(5),
                          [&](std::expected<Endpoints, std::string> got) { answers.push_back(*got); });
  for (int i = 0; i < 5; ++i) testing::turn_once(worker, std::chrono::milliseconds(10));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].at(0).text(), "[::1]:443");
}

TEST(Resolver, ANameIsResolvedAndToldOnceWhileItStaysTheSame) {
  Worker worker(0);
  std::vector<Endpoints> answers;
  {
    const Resolver resolver(worker, "localhost", 8000, std::chrono::milliseconds(5),
                            [&](std::expected<Endpoints, std::string> got) { answers.push_back(*got); });
    ASSERT_TRUE(turn_until(worker, [&] { return !answers.empty(); }));
    for (int i = 0; i < 10; ++i) testing::turn_once(worker, std::chrono::milliseconds(10));
  }
  ASSERT_EQ(answers.size(), 1u);
  for (const Endpoint& endpoint : answers[0]) {
    EXPECT_TRUE(endpoint.loopback());
    EXPECT_EQ(endpoint.port(), 8000);
  }
}

TEST(Resolver, AnAnswerThatCrossesItsEndIsDropped) {
  Worker worker(0);
  int calls = 0;
  {
    const Resolver resolver(worker, "127.0.0.1", 1, std::chrono::seconds(1), [&](auto) { ++calls; });
  }
  testing::turn_once(worker, std::chrono::milliseconds(10));
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace holdfast::net
