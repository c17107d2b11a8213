#include "upstream/pools.h"

#include <cassert>
#include <utility>

#include "upstream/exchange.h"

namespace holdfast::upstream {

Pools::Pools(net::Worker& worker, const std::vector<Config>& configs, std::shared_ptr<SharedState> shared)
    : worker_(worker),
      shared_(std::move(shared)),
      scratch_(std::make_shared<std::vector<char>>(kScratch)),
      alive_(std::make_shared<char>()) {
  for (std::size_t i = 0; i < configs.size(); ++i) add(i, configs[i]);
  shared_->enlist(worker, *this, alive_);
}

Pools::~Pools() {
  shared_->strike(*this);
  for (const Ref<Pool>& pool : pools_) pool->shut_down();
}

void Pools::add(std::size_t number, const Config& config) {
  assert(number == pools_.size());
  pools_.push_back(make_counted<Pool>(worker_, config, number, shared_, scratch_));
}

void Pools::retire(std::size_t number) {
  pools_[number]->retire();
}

void Pools::set_endpoints(std::size_t upstream, std::size_t server, net::Endpoints endpoints) {
  pools_[upstream]->set_endpoints(server, std::move(endpoints));
}

Ref<pipeline::BackendStream> Pools::open(const pipeline::Admission& /*admission*/, std::size_t upstream,
                                         const pipeline::RouteTimeouts& timeouts, http::RequestHead head,
                                         Ref<pipeline::ClientStream> client) {
  const Ref<Exchange> exchange =
      make_counted<Exchange>(pools_[upstream], timeouts, std::move(head), std::move(client));
  exchange->start();
  return exchange;
}

}  // namespace holdfast::upstream
