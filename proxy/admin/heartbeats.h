// Whether every worker's loop still turns: each worker stamps the time once a second from its own loop, and
// /livez asks whether all stamps are young. A worker that hangs in a computation or a lock stops stamping.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "base/time.h"

namespace holdfast::admin {

class Heartbeats {
 public:
  static constexpr std::chrono::seconds kBeat{1};
  static constexpr std::chrono::seconds kLimit{10};

  Heartbeats() = default;
  Heartbeats(const Heartbeats&) = delete;
  Heartbeats& operator=(const Heartbeats&) = delete;

  // Adds a worker, before its loop runs. Its loop then stamps until the loop is stopped.
  void watch(boost::asio::io_context& worker);
  // Lets the worker's loop run out: no further beat. On that worker's thread.
  void end(std::size_t worker);

  // Every worker stamped within kLimit before `now`. Any thread.
  [[nodiscard]] bool alive(SteadyTime now) const;

 private:
  struct Beat {
    explicit Beat(boost::asio::io_context& worker) : timer(worker) {}
    std::atomic<SteadyTime::rep> at{0};
    boost::asio::steady_timer timer;
  };
  static void beat(Beat& beat);

  std::vector<std::unique_ptr<Beat>> beats_;
};

}  // namespace holdfast::admin
