// All upstreams as one worker sees them: the story's port to the backends. Made by assembly for each worker,
// on its thread, with the state that all of them share; worker's thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/counted.h"
#include "net/resolver.h"
#include "net/worker.h"
#include "pipeline/admission.h"
#include "pipeline/ports.h"
#include "upstream/config.h"
#include "upstream/pool.h"
#include "upstream/shared_state.h"

namespace holdfast::upstream {

class Pools final : public pipeline::Upstreams {
 public:
  // `shared` was made from the same configs. Ends before its worker; closes what is idle and fails what
  // waits.
  Pools(net::Worker& worker, const std::vector<Config>& configs, std::shared_ptr<SharedState> shared);
  ~Pools();
  Pools(const Pools&) = delete;
  Pools& operator=(const Pools&) = delete;

  // What a reload changes, by the number that SharedState gave: requests of the rules to come go to a pool
  // that is added; one that is retired serves those of the rules before and keeps no connection.
  void add(std::size_t number, const Config& config);
  void retire(std::size_t number);
  [[nodiscard]] bool knows(std::size_t number) const { return number < pools_.size(); }

  // The addresses of a server, from the control thread's resolver. Until they came, requests for it fail as
  // unreachable.
  void set_endpoints(std::size_t upstream, std::size_t server, net::Endpoints endpoints);

  [[nodiscard]] Ref<pipeline::BackendStream> open(const pipeline::Admission& admission, std::size_t upstream,
                                                  const pipeline::RouteTimeouts& timeouts,
                                                  http::RequestHead head,
                                                  Ref<pipeline::ClientStream> client) override;

  [[nodiscard]] bool is_overloaded(std::size_t upstream) const override {
    return pools_[upstream]->is_overloaded();
  }

  void look_again(std::size_t upstream) { pools_[upstream]->look_again(); }

 private:
  static constexpr std::size_t kScratch = 64 * 1024;

  net::Worker& worker_;
  std::shared_ptr<SharedState> shared_;
  std::shared_ptr<std::vector<char>> scratch_;
  std::vector<Ref<Pool>> pools_;  // by number
  std::shared_ptr<void> alive_;
};

}  // namespace holdfast::upstream
