// Resolves one host name again and again, on a thread of its own because getaddrinfo() blocks, and posts each
// answer that differs from the last to a worker. An address literal needs neither thread nor repetition. Made
// and destroyed on the thread of the worker that it posts to (the control thread), which hands snapshots on.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "net/socket.h"
#include "net/worker.h"

namespace holdfast::net {

using Endpoints = std::vector<Endpoint>;

// One blocking resolution. The error is the resolver's sentence.
[[nodiscard]] std::expected<Endpoints, std::string> resolve_now(const std::string& host, std::uint16_t port);

class Resolver {
 public:
  // On `worker`'s thread: the addresses whenever they changed, in the resolver's order; never empty. A failed
  // resolution keeps what was there and is tried again after a second; it is reported with its sentence.
  using Changed = std::function<void(std::expected<Endpoints, std::string>)>;

  Resolver(Worker& worker, std::string host, std::uint16_t port, std::chrono::milliseconds interval,
           Changed changed);
  // Waits for a resolution that is under way. `changed` does not come any more.
  ~Resolver();
  // `changed` does not come any more; ended() says when the destructor no longer has to wait.
  void end();
  [[nodiscard]] bool ended() const { return ended_.load(std::memory_order_acquire); }
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

 private:
  void loop();

  Worker& worker_;
  std::string host_;
  std::uint16_t port_;
  std::chrono::milliseconds interval_;
  std::shared_ptr<Changed> changed_;  // weakly held by posted tasks: gone with the resolver
  std::mutex mutex_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::atomic<bool> ended_{true};  // the thread, where there is one
  std::thread thread_;
};

}  // namespace holdfast::net
