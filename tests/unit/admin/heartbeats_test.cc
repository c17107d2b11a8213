#include "admin/heartbeats.h"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>

namespace holdfast::admin {
namespace {

TEST(Heartbeats, AWorkerIsAliveForTenSecondsAfterItsBeat) {
  boost::asio::io_context worker;
  Heartbeats hearts;
  hearts.watch(worker);
  const SteadyTime now = std::chrono::steady_clock::now();
  EXPECT_TRUE(hearts.alive(now));
  EXPECT_TRUE(hearts.alive(now + std::chrono::seconds(9)));
  EXPECT_FALSE(hearts.alive(now + std::chrono::seconds(11))) << "its loop never turned again";
}

TEST(Heartbeats, ATurningLoopBeatsAndOneDeadWorkerIsEnough) {
  boost::asio::io_context turning;
  boost::asio::io_context hanging;
  Heartbeats hearts;
  hearts.watch(turning);
  const SteadyTime born = std::chrono::steady_clock::now();
  turning.run_for(std::chrono::milliseconds(1500));
  EXPECT_TRUE(hearts.alive(born + std::chrono::milliseconds(10'900)));
  Heartbeats both;
  both.watch(hanging);
  both.watch(turning);
  turning.run_for(std::chrono::milliseconds(1500));
  EXPECT_FALSE(both.alive(std::chrono::steady_clock::now() + std::chrono::seconds(9)));
}

TEST(Heartbeats, AnEndedHeartLetsItsLoopRunOut) {
  boost::asio::io_context worker;
  Heartbeats hearts;
  hearts.watch(worker);
  boost::asio::post(worker, [&] { hearts.end(0); });
  worker.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(worker.stopped());
}

}  // namespace
}  // namespace holdfast::admin
