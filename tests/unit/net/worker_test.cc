#include "net/worker.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace holdfast::net {
namespace {

TEST(Worker, RunsWhatOthersPostInOrderAndStops) {
  Worker worker(3);
  EXPECT_EQ(worker.index(), 3u);
  std::vector<int> seen;
  std::thread thread([&] { worker.run(); });
  for (int i = 0; i < 1000; ++i) worker.post([&seen, i] { seen.push_back(i); });
  worker.stop();
  thread.join();
  ASSERT_EQ(seen.size(), 1000u);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
}

TEST(Worker, ManyThreadsPostAtOnce) {
  Worker worker(0);
  std::thread thread([&] { worker.run(); });
  int count = 0;
  {
    std::vector<std::jthread> posters;
    for (int i = 0; i < 4; ++i) {
      posters.emplace_back([&] {
        for (int j = 0; j < 5000; ++j) worker.post([&count] { ++count; });
      });
    }
  }
  worker.stop();
  thread.join();
  EXPECT_EQ(count, 20'000);
}

TEST(Worker, ADeadlineWakesTheLoop) {
  struct Stopper final : Expirable {
    explicit Stopper(Worker& w) : worker(w), deadline(w.wheel(), *this) {}
    void on_deadline(int) override { worker.stop(); }
    Worker& worker;
    Deadline deadline;
  };
  Worker worker(0);
  Stopper stopper(worker);
  const auto began = std::chrono::steady_clock::now();
  stopper.deadline.arm(std::chrono::milliseconds(50));
  worker.run();
  const auto took = std::chrono::steady_clock::now() - began;
  EXPECT_GE(took, std::chrono::milliseconds(50));
  EXPECT_LT(took, std::chrono::seconds(2));
}

TEST(Worker, OneOfManyLetsOthersGoBetween) {
  Worker worker(0);
  std::string seen;
  std::size_t left = 3 * Worker::kMostATurn;
  std::function<void()> other = [&] {
    seen += ' ';
    if (left == 0) return worker.stop();
    worker.post(other);
  };
  worker.post([&] {
    for (std::size_t i = left; i > 0; --i) {
      worker.post_one_of_many([&] { seen += 'm', --left; });
    }
    worker.post(other);
  });
  worker.run();
  const std::string turn(Worker::kMostATurn, 'm');
  EXPECT_EQ(seen, turn + ' ' + turn + ' ' + turn + ' ');
}

TEST(Worker, WhatIsLeftOfManyIsDoneWhenItStops) {
  Worker worker(0);
  int done = 0;
  worker.post([&] {
    for (int i = 0; i < 1000; ++i) worker.post_one_of_many([&] { ++done; });
    worker.post_one_of_many([&] { worker.post_one_of_many([&] { ++done; }); });
    worker.stop();
  });
  worker.run();
  EXPECT_EQ(done, 1001);
}

TEST(Worker, TasksNeverRunAreDestroyedWithIt) {
  const auto held = std::make_shared<int>(1);
  {
    Worker worker(0);
    worker.post([held] {});
    EXPECT_EQ(held.use_count(), 2);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace holdfast::net
