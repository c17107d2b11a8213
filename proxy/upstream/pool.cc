#include "upstream/pool.h"

#include <algorithm>
#include <utility>

#include "upstream/exchange.h"

namespace holdfast::upstream {

Pool::Pool(net::Worker& worker, Config config, std::size_t index, std::shared_ptr<SharedState> shared,
           std::shared_ptr<std::vector<char>> scratch)
    : worker_(worker),
      config_(std::move(config)),
      index_(index),
      shared_(std::move(shared)),
      state_(shared_->upstream(index)),
      scratch_(std::move(scratch)),
      balancer_(config_, state_, worker.index()),
      servers_(config_.servers.size()) {
  for (std::size_t i = 0; i < servers_.size(); ++i) servers_[i].speaks_http2 = config_.servers[i].http2;
}

Pool::~Pool() = default;

void Pool::set_endpoints(std::size_t server, net::Endpoints endpoints) {
  servers_[server].endpoints = std::move(endpoints);
  servers_[server].next_endpoint = 0;
}

Ref<Connection> Pool::take_idle(std::size_t server) {
  std::vector<Ref<Connection>>& idle = servers_[server].idle;
  while (!idle.empty()) {
    Ref<Connection> connection = std::move(idle.back());
    idle.pop_back();
    if (connection->is_quiet()) return connection;
    connection->close();
  }
  return nullptr;
}

bool Pool::dial(Exchange& exchange, std::size_t server) {
  if (!UpstreamState::add_below(state_.connections, config_.max_connections)) return false;
  ServerPool& pool = servers_[server];
  Ref<Connection> connection = make_counted<Connection>(Ref<Pool>(this), server, exchange.needs_http1());
  const std::size_t first = pool.endpoints.empty() ? 0 : pool.next_endpoint++ % pool.endpoints.size();
  if (pool.speaks_http2 && !exchange.needs_http1()) {
    const Ref<Http2Connection> shared = make_counted<Http2Connection>(Ref<Pool>(this), std::move(connection));
    pool.http2.push_back(shared);
    exchange.join(shared);
    shared->wait(exchange);
    shared->dial(pool.endpoints, first);
    return true;
  }
  exchange.take(connection);
  connection->dial(exchange, pool.endpoints, first, config_.timeouts.connect);
  return true;
}

std::optional<Pool::Found> Pool::reuse(Exchange& exchange, std::size_t server, bool fresh) {
  for (const bool up : {true, false}) {
    for (const Ref<Http2Connection>& shared : servers_[server].http2) {
      if (exchange.needs_http1() || shared->is_up() != up || !shared->has_room()) continue;
      exchange.join(shared);
      if (!up) shared->wait(exchange);
      return up ? Found::kReady : Found::kDialling;
    }
  }
  if (fresh) return std::nullopt;
  Ref<Connection> connection = take_idle(server);
  if (!connection) return std::nullopt;
  connection->set_user(exchange);
  exchange.take(std::move(connection));
  return Found::kReady;
}

bool Pool::close_idle(std::size_t server) {
  if (const Ref<Connection> connection = take_idle(server)) {
    connection->close();
    return true;
  }
  for (const Ref<Http2Connection>& shared : servers_[server].http2) {
    if (!shared->is_idle()) continue;
    const Ref<Http2Connection> keep = shared;
    keep->close();
    return true;
  }
  return false;
}

bool Pool::close_one_idle() {
  for (std::size_t server = 0; server < servers_.size(); ++server) {
    if (close_idle(server)) return true;
  }
  return false;
}

Pool::Found Pool::acquire(Exchange& exchange, bool fresh) {
  const std::vector<bool>& tried = exchange.ruled_out();
  const std::optional<std::size_t> server = balancer_.pick(tried);
  if (!server) return Found::kNoServer;
  if (const auto found = reuse(exchange, *server, fresh)) return *found;
  if (dial(exchange, *server)) return Found::kDialling;
  // The process has all the connections it may have: one of ours to another server serves, or one that is
  // idle makes room.
  for (std::size_t other = 0; other < servers_.size(); ++other) {
    if (other >= tried.size() || !tried[other]) {
      if (const auto found = reuse(exchange, other, fresh)) return *found;
    }
    if (close_idle(other) && dial(exchange, *server)) return Found::kDialling;
  }
  if (!UpstreamState::add_below(state_.waiting, config_.queue)) return Found::kQueueFull;
  waiting_.push_back(Ref<Exchange>(&exchange));
  shared_->wake_all(index_);
  return Found::kWaiting;
}

bool Pool::is_overloaded() const {
  return state_.connections.load(std::memory_order_relaxed) >= config_.max_connections &&
         state_.waiting.load(std::memory_order_relaxed) >= config_.queue &&
         std::ranges::all_of(servers_, [](const ServerPool& server) {
           return server.idle.empty() &&
                  std::ranges::none_of(server.http2, [](const auto& shared) { return shared->has_room(); });
         });
}

void Pool::stop_waiting(Exchange& exchange) {
  const auto removed =
      std::erase_if(waiting_, [&](const Ref<Exchange>& other) { return other.get() == &exchange; });
  state_.waiting.fetch_sub(static_cast<std::uint32_t>(removed), std::memory_order_relaxed);
}

void Pool::release(Ref<Connection> connection) {
  if (!waiting_.empty() && !connection->is_quiet()) return connection->close();
  if (!waiting_.empty()) {
    const Ref<Exchange> exchange = take_waiting(waiting_.begin());
    connection->set_user(*exchange);
    exchange->take(std::move(connection));
    exchange->begin_soon();
    return;
  }
  // Makes room for another worker, or nobody will come for it.
  if (retired_ || state_.waiting.load(std::memory_order_relaxed) != 0) return connection->close();
  connection->idle(config_.timeouts.idle);
  servers_[connection->server()].idle.push_back(std::move(connection));
}

Ref<Exchange> Pool::take_waiting(std::deque<Ref<Exchange>>::iterator at) {
  const Ref<Exchange> exchange = std::move(*at);
  waiting_.erase(at);
  state_.waiting.fetch_sub(1, std::memory_order_relaxed);
  return exchange;
}

void Pool::serve_waiting() {
  while (!waiting_.empty()) {
    const std::optional<std::size_t> server = balancer_.pick(waiting_.front()->ruled_out());
    if (!server) return;
    if (!dial(*waiting_.front(), *server) && !(close_one_idle() && dial(*waiting_.front(), *server))) return;
    (void)take_waiting(waiting_.begin());
  }
}

void Pool::look_again() {
  serve_waiting();
  if (!waiting_.empty() || state_.waiting.load(std::memory_order_relaxed) == 0) return;
  (void)close_one_idle();
}

Ref<Http2Connection> Pool::adopt(Ref<Connection> connection) {
  ServerPool& pool = servers_[connection->server()];
  pool.speaks_http2 = true;
  Ref<Http2Connection> shared = make_counted<Http2Connection>(Ref<Pool>(this), std::move(connection));
  pool.http2.push_back(shared);
  return shared;
}

void Pool::offer(Http2Connection& connection) {
  const auto next_that_fits = [this] {
    return std::ranges::find_if(waiting_, [](const auto& each) { return !each->needs_http1(); });
  };
  while (connection.is_up() && connection.has_room()) {
    const auto next = next_that_fits();
    if (next == waiting_.end()) break;
    const Ref<Exchange> exchange = take_waiting(next);
    exchange->join(Ref<Http2Connection>(&connection));
    exchange->on_http2_ready();
  }
  // As in release(): those that still wait are another worker's, or want HTTP/1.
  if (connection.is_idle() && next_that_fits() == waiting_.end() &&
      state_.waiting.load(std::memory_order_relaxed) != 0) {
    connection.close();
  }
}

void Pool::expect_http1(std::size_t server) {
  servers_[server].speaks_http2 = false;
}

void Pool::drop(Http2Connection& connection) {
  std::erase_if(servers_[connection.server()].http2,
                [&](const Ref<Http2Connection>& other) { return other.get() == &connection; });
}

void Pool::close_idle() {
  for (std::size_t server = 0; server < servers_.size(); ++server) {
    while (close_idle(server)) continue;
  }
}

void Pool::retire() {
  retired_ = true;
  close_idle();
}

void Pool::shut_down() {
  retire();
  const std::deque<Ref<Exchange>> waiting = std::exchange(waiting_, {});
  state_.waiting.fetch_sub(static_cast<std::uint32_t>(waiting.size()), std::memory_order_relaxed);
  for (const Ref<Exchange>& exchange : waiting) exchange->fail(pipeline::Cause::kDraining);
}

void Pool::drop_idle(Connection& connection) {
  const Ref<Connection> self(&connection);
  std::erase_if(servers_[connection.server()].idle,
                [&](const Ref<Connection>& other) { return other.get() == &connection; });
  connection.close();
}

void Pool::on_closed() {
  state_.connections.fetch_sub(1, std::memory_order_relaxed);
  if (state_.waiting.load(std::memory_order_relaxed) != 0) shared_->wake_all(index_);
}

}  // namespace holdfast::upstream
