// One worker: a thread with its own io_context and timer wheel. What is made on it lives and dies on it, and
// is gone before it; only post() and stop() are for other threads.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/wait_traits.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "base/time.h"
#include "net/socket.h"
#include "net/timer_wheel.h"

namespace holdfast::net {

class Worker {
 public:
  explicit Worker(unsigned index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] unsigned index() const { return index_; }
  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  [[nodiscard]] TimerWheel& wheel() { return wheel_; }
  [[nodiscard]] static Now now();

  // Runs until stop(). Called by the worker's thread.
  void run();
  // Any thread. What was posted before still runs.
  void stop();

  // Any thread. Runs `task`, which may be move-only, on the worker's thread, never inside this call.
  template <typename Task>
  void post(Task&& task) {
    boost::asio::post(io_, std::forward<Task>(task));
  }

  // Worker's thread only. The same for what comes in heaps, such as the ends of a connection's streams: in
  // order, no more than kMostATurn of all heaps together in a turn of the loop, and other work between. What
  // waits when the worker stops is done before run() returns.
  static constexpr std::size_t kMostATurn = TimerWheel::kMostATurn;
  void post_one_of_many(std::function<void()> task);

 private:
  using Timer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>, Executor>;

  void sleep_until_next();
  void work_off(std::size_t most);

  unsigned index_;
  TimerWheel wheel_;  // outlives what dies with the loop
  boost::asio::io_context io_;
  Timer timer_;
  std::deque<std::function<void()>> many_;
};

}  // namespace holdfast::net
