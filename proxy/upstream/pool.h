// One upstream as one worker sees it: kept connections by server, and requests that wait because the process
// has as many connections as it may. Worker's thread only.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/counted.h"
#include "net/resolver.h"
#include "net/worker.h"
#include "upstream/balancer.h"
#include "upstream/config.h"
#include "upstream/connection.h"
#include "upstream/http2_connection.h"
#include "upstream/shared_state.h"

namespace holdfast::upstream {

class Exchange;

class Pool final : public Counted {
 public:
  Pool(net::Worker& worker, Config config, std::size_t index, std::shared_ptr<SharedState> shared,
       std::shared_ptr<std::vector<char>> scratch);
  ~Pool() override;

  [[nodiscard]] net::Worker& worker() { return worker_; }
  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] UpstreamState& state() { return state_; }
  // A buffer of the worker's to read into; its contents last until the caller returns to the loop.
  [[nodiscard]] std::span<char> scratch() { return *scratch_; }

  void set_endpoints(std::size_t server, net::Endpoints endpoints);

  // Finds a connection for the exchange: gives it one with take(), dials one for it, lets it wait, or
  // refuses. `fresh`: no kept one, because a kept one has just failed.
  enum class Found { kReady, kDialling, kWaiting, kNoServer, kQueueFull };
  [[nodiscard]] Found acquire(Exchange& exchange, bool fresh);
  void stop_waiting(Exchange& exchange);
  // Would acquire() answer kQueueFull?
  [[nodiscard]] bool is_overloaded() const;
  // Gives back a connection on which both messages ended cleanly.
  void release(Ref<Connection> connection);

  // A connection that turned out to speak HTTP/2: from now on it is shared, and so are further ones.
  [[nodiscard]] Ref<Http2Connection> adopt(Ref<Connection> connection);
  // The server no longer chose HTTP/2 by ALPN.
  void expect_http1(std::size_t server);
  // The connection may have room for a request that waits.
  void offer(Http2Connection& connection);
  // The connection takes no more requests.
  void drop(Http2Connection& connection);
  [[nodiscard]] bool keeps_idle() const { return !retired_; }

  // Capacity may have come free, or another worker may want some.
  void look_again();
  // Serves what it has and what still comes, and keeps no connection any more.
  void retire();
  void shut_down();

  // From connections.
  void drop_idle(Connection& connection);
  void on_closed();

 private:
  struct ServerPool {
    net::Endpoints endpoints;
    std::size_t next_endpoint =
        0;  // the one that connected last, so that a dead address costs one attempt only
    std::vector<Ref<Connection>> idle;  // the back was used last
    std::vector<Ref<Http2Connection>> http2;
    bool speaks_http2 = false;  // as configured, or as it spoke last
  };

  [[nodiscard]] Ref<Connection> take_idle(std::size_t server);
  // Gives the exchange a connection that is there, or is being made.
  [[nodiscard]] std::optional<Found> reuse(Exchange& exchange, std::size_t server, bool fresh);
  [[nodiscard]] bool close_idle(std::size_t server);
  [[nodiscard]] bool close_one_idle();
  [[nodiscard]] bool dial(Exchange& exchange, std::size_t server);
  Ref<Exchange> take_waiting(std::deque<Ref<Exchange>>::iterator at);
  void serve_waiting();
  void close_idle();

  net::Worker& worker_;
  Config config_;
  std::size_t index_;
  std::shared_ptr<SharedState> shared_;
  UpstreamState& state_;
  std::shared_ptr<std::vector<char>> scratch_;  // of all the worker's pools; exchanges may outlive those
  Balancer balancer_;
  std::vector<ServerPool> servers_;
  std::deque<Ref<Exchange>> waiting_;
  bool retired_ = false;
};

}  // namespace holdfast::upstream
