#include "listener/listener.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "listener/connection.h"

namespace holdfast::listener {

namespace {

// Until accepting is tried again where the listener is at its limit: which worker's connection ends first is
// not known here.
constexpr std::chrono::milliseconds kPause{50};
// Of a drain, for WebSockets to close after they were told to, so that none is cut off unawares.
constexpr std::chrono::milliseconds kGoodbye{1'000};

}  // namespace

Listener::Listener(net::Worker& worker, net::Descriptor listening, std::shared_ptr<const Config> config,
                   pipeline::RequestHandler& handler)
    : worker_(worker),
      config_(std::move(config)),
      handler_(handler),
      acceptor_(worker, std::move(listening), *this),
      resume_(worker.wheel(), *this, kResume),
      drain_deadline_(worker.wheel(), *this, kDrainDeadline) {}

void Listener::start() {
  acceptor_.start();
}

void Listener::on_accepted(net::Socket socket, const net::Endpoint& peer) {
  waiting_.emplace(std::move(socket), peer);
  // Draining empties the queue whatever the limit; one past it is closed, the kernel can keep it no longer.
  if (admit_waiting() || draining_) return waiting_.reset();
  config_->tally->count_pause();
  acceptor_.pause();
  resume_.arm(kPause);
}

// false: the listener is at its limit.
bool Listener::admit_waiting() {
  if (!config_->tally->try_open(config_->limits.max_connections)) return false;
  auto waiting = std::exchange(waiting_, std::nullopt);
  make_counted<Connection>(*this, std::move(waiting->first), waiting->second)->start();
  return true;
}

void Listener::on_deadline(int which) {
  if (which == kDrainDeadline) return end_drain();
  if (waiting_ && !admit_waiting()) return resume_.arm(kPause);
  acceptor_.start();
}

void Listener::drain(std::chrono::milliseconds deadline, std::function<void()> empty, Queue queue) {
  const Ref<Listener> self(this);
  draining_ = true;
  empty_ = nullptr;  // not before what waits is taken
  resume_.cancel();
  if (waiting_ && !admit_waiting()) waiting_.reset();
  // Closing the socket would reset what the kernel has completed and we have not taken.
  if (queue == Queue::kTake) {
    acceptor_.stop();
  } else {
    acceptor_.leave();
  }
  // What a connection does when told may end others.
  std::vector<Ref<Connection>> told;
  told.reserve(connections_);
  for (Connection* each = first_; each != nullptr; each = each->next_) told.emplace_back(each);
  for (const Ref<Connection>& each : told) each->drain();
  if (connections_ == 0) {
    if (empty) empty();
    return;
  }
  empty_ = std::move(empty);
  goodbye_ = std::min(kGoodbye, deadline / 2);
  drain_deadline_.arm(deadline - goodbye_);
}

void Listener::end_drain() {
  const Ref<Listener> self(this);
  if (!goodbye_.count()) return close_connections();
  handler_.close_tunnels();
  if (connections_ != 0) drain_deadline_.arm(std::exchange(goodbye_, {}));
}

void Listener::close() {
  const Ref<Listener> self(this);
  draining_ = true;
  empty_ = nullptr;
  resume_.cancel();
  drain_deadline_.cancel();
  waiting_.reset();
  acceptor_.stop();
  close_connections();
}

void Listener::close_connections() {
  const Ref<Listener> self(this);
  while (first_ != nullptr) first_->abandon();
}

void Listener::add(Connection& connection) {
  connection.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &connection;
  first_ = &connection;
  ++connections_;
}

void Listener::remove(Connection& connection) {
  if (connection.previous_ != nullptr) connection.previous_->next_ = connection.next_;
  if (connection.next_ != nullptr) connection.next_->previous_ = connection.previous_;
  if (first_ == &connection) first_ = connection.next_;
  connection.next_ = connection.previous_ = nullptr;
  --connections_;
  config_->tally->close();
  if (connections_ == 0 && empty_) {
    drain_deadline_.cancel();
    std::exchange(empty_, nullptr)();
  }
}

}  // namespace holdfast::listener
