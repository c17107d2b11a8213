// One listening socket on one worker: accepts connections and keeps count of them until the last
// has gone. Accepting pauses, and is tried again shortly, when the process is out of descriptors or the
// listener at its limit: what waits in the kernel's queue is not lost. All calls on the worker's thread, or
// before it runs and after it has ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "listener/config.h"
#include "net/acceptor.h"
#include "net/socket.h"
#include "net/timer_wheel.h"
#include "net/worker.h"
#include "pipeline/ports.h"

namespace holdfast::listener {

class Connection;

class Listener final : public net::AcceptOwner, private net::Expirable {
 public:
  // `listening`: from net::open_listening_sockets(). `handler` outlives the worker's loop. Made by
  // make_counted(); holds itself from start() to drain() or close(), and while it has connections.
  Listener(net::Worker& worker, net::Descriptor listening, std::shared_ptr<const Config> config,
           pipeline::RequestHandler& handler);

  void start();
  [[nodiscard]] const Config& config() const { return *config_; }
  // For connections accepted from now on; the others keep what they began with. The tally stays the same.
  void replace_config(std::shared_ptr<const Config> config) { config_ = std::move(config); }

  // Takes what waits to be accepted and closes the listening socket; closes idle connections; the others end
  // after the answer that they are at, which says `Connection: close`, or with the deadline. `empty` is
  // called once, when no connection is left, possibly before this returns.
  // kLeave: what waits is for another process that holds the same socket.
  enum class Queue : std::uint8_t { kTake, kLeave };
  void drain(std::chrono::milliseconds deadline, std::function<void()> empty, Queue queue = Queue::kTake);
  // Closes everything at once.
  void close();
  [[nodiscard]] bool draining() const { return draining_; }
  [[nodiscard]] std::size_t connections() const { return connections_; }

 private:
  friend class Connection;
  enum Which : int { kResume, kDrainDeadline };

  void on_accepted(net::Socket socket, const net::Endpoint& peer) override;
  void on_deadline(int which) override;
  [[nodiscard]] bool admit_waiting();
  void end_drain();
  void close_connections();
  void add(Connection& connection);
  void remove(Connection& connection);

  net::Worker& worker_;
  std::shared_ptr<const Config> config_;
  pipeline::RequestHandler& handler_;
  net::Acceptor acceptor_;
  net::Deadline resume_;
  net::Deadline drain_deadline_;
  // Accepted when the last place had just gone to another worker; the first to have the next one.
  std::optional<std::pair<net::Socket, net::Endpoint>> waiting_;
  Connection* first_ = nullptr;
  std::size_t connections_ = 0;
  std::chrono::milliseconds goodbye_{};  // what of the drain is left for those that close their WebSockets
  bool draining_ = false;
  std::function<void()> empty_;
};

}  // namespace holdfast::listener
