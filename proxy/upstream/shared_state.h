// What the workers' pools share: counts of connections, waiting requests and requests in flight, because
// every limit is the process's and a balancer that sees one worker's requests only would send all of them to
// the same server. Counts are relaxed atomics; the mutex is taken only while some request waits for a
// connection.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "base/time.h"
#include "upstream/config.h"

namespace holdfast::net {
class Worker;
}

namespace holdfast::upstream {

class Pools;

struct ServerState {
  std::atomic<std::uint32_t> in_flight = 0;
};

struct UpstreamState {
  explicit UpstreamState(std::size_t server_count) : servers(server_count) {}

  std::atomic<std::uint32_t> connections = 0;
  std::atomic<std::uint32_t> waiting = 0;
  std::vector<ServerState> servers;

  // Adds one unless that would pass `limit`.
  [[nodiscard]] static bool add_below(std::atomic<std::uint32_t>& count, std::uint32_t limit);
};

class SharedState {
 public:
  explicit SharedState(const std::vector<Config>& configs);

  // One more; its number. Numbers are never used again: what a reload has replaced may have requests under
  // way for as long as they take.
  std::size_t add(const Config& config);
  [[nodiscard]] UpstreamState& upstream(std::size_t number);

  // A worker's pools, from their construction to their destruction, on their worker's thread.
  void enlist(net::Worker& worker, Pools& pools, const std::shared_ptr<void>& alive);
  void strike(const Pools& pools);
  // Any worker: has every worker look again whether a waiting request can go on, or an idle connection can
  // make room for another worker's.
  void wake_all(std::size_t upstream);

 private:
  struct Member {
    net::Worker* worker;
    Pools* pools;
    std::weak_ptr<void> alive;
  };

  std::mutex mutex_;
  std::vector<std::unique_ptr<UpstreamState>> upstreams_;  // the list under mutex_
  std::vector<Member> members_;                            // under mutex_
};

}  // namespace holdfast::upstream
