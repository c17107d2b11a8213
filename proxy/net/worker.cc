#include "net/worker.h"

#include <boost/asio/executor_work_guard.hpp>
#include <utility>

namespace holdfast::net {

// UNSAFE_IO: descriptors belong to one thread, so Asio need not lock them; posting from others stays safe.
Worker::Worker(unsigned index) : index_(index), io_(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO), timer_(io_) {
  wheel_.on_sooner([this] { sleep_until_next(); });
}

Now Worker::now() {
  return {std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()),
          std::chrono::steady_clock::now()};
}

void Worker::run() {
  const auto work = boost::asio::make_work_guard(io_);
  io_.run();
  while (!many_.empty()) work_off(many_.size());
  io_.restart();
}

void Worker::stop() {
  post([this] { io_.stop(); });
}

void Worker::post_one_of_many(std::function<void()> task) {
  many_.push_back(std::move(task));
  if (many_.size() == 1) post([this] { work_off(kMostATurn); });
}

void Worker::work_off(std::size_t most) {
  for (std::size_t i = 0; i < most && !many_.empty(); ++i) {
    // Stays in place meanwhile: what it posts must not find the heap empty.
    many_.front()();
    many_.pop_front();
  }
  if (!many_.empty()) post([this] { work_off(kMostATurn); });
}

void Worker::sleep_until_next() {
  const std::chrono::milliseconds wait = wheel_.until_next();
  if (wait.count() < 0) return;
  // Setting the expiry cancels the wait before, whose handler then leaves the wheel alone.
  timer_.expires_after(wait);
  timer_.async_wait([this](boost::system::error_code error) {
    if (error) return;
    wheel_.advance();
    sleep_until_next();
  });
}

}  // namespace holdfast::net
