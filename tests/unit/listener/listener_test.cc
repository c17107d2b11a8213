#include "listener/listener.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "fixture.h"
#include "listener/date.h"

namespace holdfast::testing {
namespace {

using State = net::Stream::State;

class AcceptTest : public ListenerTest {};
INSTANTIATE_TEST_SUITE_P(PlainAndTls, AcceptTest, ::testing::Bool(), mode_name);

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

TEST_P(AcceptTest, BeyondTheLimitConnectionsWaitUntilOneIsFree) {
  config->limits.max_connections = 2;
  story.on_start = [](StoryRequest& request) { request.answer(200, "ok"); };
  const auto first = connect();
  const auto second = connect();
  ASSERT_TRUE(turn([&] { return config->tally->open() == 2; }));
  net::Descriptor third(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(third.fd(), address.address(), address.size()), 0);
  ASSERT_EQ(::send(third.fd(), kGet.data(), kGet.size(), 0), static_cast<ssize_t>(kGet.size()));
  const auto is_served = [&] {
    char byte = 0;
    return ::recv(third.fd(), &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN;
  };
  settle(30);
  EXPECT_EQ(listening->connections(), 2u);
  EXPECT_FALSE(is_served());
  first->stream.close();
  EXPECT_TRUE(turn(is_served)) << "with an answer, or the end that HTTP has on a TLS listener";
}

TEST_P(AcceptTest, AHandshakeThatTakesTooLongIsClosed) {
  if (!GetParam()) GTEST_SKIP() << "plain connections have no handshake";
  config->timeouts.handshake = std::chrono::milliseconds(50);
  listen();
  net::Descriptor silent(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(silent.fd(), address.address(), address.size()), 0);
  ASSERT_TRUE(turn([&] { return listening->connections() == 1; }));
  ASSERT_TRUE(turn([&] { return listening->connections() == 0; }));
}

TEST_P(AcceptTest, DrainClosesIdleConnectionsAndLetsTheOthersFinish) {
  const auto idle = connect();
  const auto busy = connect();
  busy->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  int empty = 0;
  listening->drain(std::chrono::seconds(10), [&] { ++empty; });
  ASSERT_TRUE(turn([&] { return idle->end.has_value(); }));
  EXPECT_EQ(*idle->end, State::kEnd);
  EXPECT_EQ(empty, 0);
  story.last().answer(200, "done");
  ASSERT_TRUE(turn([&] { return busy->end.has_value(); }));
  EXPECT_TRUE(busy->received.ends_with("done"));
  EXPECT_TRUE(busy->received.contains("\r\nConnection: close\r\n"));
  ASSERT_TRUE(turn([&] { return empty == 1; }));

  const net::Descriptor late(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_NE(::connect(late.fd(), address.address(), address.size()), 0);
}

TEST_P(AcceptTest, DrainServesWhatWaitsToBeAccepted) {
  if (GetParam()) GTEST_SKIP() << "the client below speaks plain HTTP";
  listen();
  story.on_start = [](StoryRequest& request) { request.answer(200, "served"); };
  net::Descriptor waiting(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(waiting.fd(), address.address(), address.size()), 0);
  ASSERT_EQ(::send(waiting.fd(), kGet.data(), kGet.size(), 0), static_cast<ssize_t>(kGet.size()));
  int empty = 0;
  listening->drain(std::chrono::seconds(10), [&] { ++empty; });
  ASSERT_TRUE(turn([&] { return empty == 1; }));
  std::string answer(1000, '\0');
  answer.resize(static_cast<std::size_t>(std::max<ssize_t>(::recv(waiting.fd(), answer.data(), 1000, 0), 0)));
  EXPECT_TRUE(answer.ends_with("served")) << answer;
}

TEST_P(AcceptTest, DrainClosesTheRestAtItsDeadline) {
  const auto busy = connect();
  busy->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  int empty = 0;
  listening->drain(std::chrono::milliseconds(50), [&] { ++empty; });
  ASSERT_TRUE(turn([&] { return empty == 1; }));
  EXPECT_EQ(story.last().cancelled, pipeline::Cause::kClientGone);
}

// WebSockets have no other end: they are told before the rest is closed, and have some of the time.
TEST_P(AcceptTest, DrainHasTunnelsClosedBeforeItsDeadline) {
  const auto busy = connect();
  busy->send(kGet);
  ASSERT_TRUE(turn([&] { return !story.requests.empty() && story.last().ended; }));
  int told = 0;
  int empty = 0;
  story.on_close_tunnels = [&] {
    ++told;
    EXPECT_EQ(story.last().cancelled, std::nullopt);
  };
  listening->drain(std::chrono::milliseconds(100), [&] { ++empty; });
  ASSERT_TRUE(turn([&] { return empty == 1; }));
  EXPECT_EQ(told, 1);
}

TEST_P(AcceptTest, DrainOfAnEmptyListenerIsDoneAtOnce) {
  listen();
  int empty = 0;
  listening->drain(std::chrono::seconds(10), [&] { ++empty; });
  EXPECT_EQ(empty, 1);
}

TEST(Date, IsFixdate) {
  using namespace std::chrono;
  EXPECT_EQ(listener::http_date(UnixTime(seconds(784'111'777))), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(listener::http_date(UnixTime(seconds(1'709'164'800))), "Thu, 29 Feb 2024 00:00:00 GMT");
}

}  // namespace
}  // namespace holdfast::testing
