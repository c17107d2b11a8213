// Threads with loops for tests that cross them, and an event log that can be looked into.
#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "pipeline/ports.h"

namespace holdfast::issuer {

class Events final : public pipeline::EventLog {
 public:
  using pipeline::EventLog::event;
  void event(pipeline::Level, std::string_view event, std::span<const pipeline::EventField> fields) override {
    const std::lock_guard lock(mutex_);
    for (const auto& field : fields) all_ += std::string(event) + " " + std::string(field.value) + "\n";
  }
  [[nodiscard]] bool mention(std::string_view word) {
    const std::lock_guard lock(mutex_);
    return all_.find(word) != std::string::npos;
  }

 private:
  std::mutex mutex_;
  std::string all_;
};

// An io_context with its thread.
class Loop {
 public:
  Loop() : guard_(io_.get_executor()), thread_([this] { io_.run(); }) {}
  ~Loop() { end(); }
  void end() {
    io_.stop();
    if (thread_.joinable()) thread_.join();
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  boost::asio::io_context& io() { return io_; }
  // Runs `function` on the loop and waits for it.
  template <typename Function>
  auto on(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    boost::asio::post(io_, std::move(task));
    return result.get();
  }

 private:
  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_;
  std::thread thread_;
};

template <typename Condition>
bool soon(Condition condition, std::chrono::seconds patience = std::chrono::seconds(8)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (std::chrono::steady_clock::now() < until) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace holdfast::issuer
