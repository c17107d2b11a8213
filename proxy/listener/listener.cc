#include "listener/listener.h"

#include <utility>
#include <vector>

#include "listener/session.h"

namespace holdfast::listener {

namespace {

// Until accepting is tried again where the listener is at its limit: which worker's connection ends first is
// not known here.
constexpr std::chrono::milliseconds kPause{50};

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
  if (config_->gauge->try_add(config_->limits.max_connections)) {
    return make_counted<Session>(*this, std::move(socket), peer)->start();
  }
  // Draining empties the queue whatever the limit; one past it is closed, the kernel can keep it no longer.
  if (draining_) return;
  waiting_.emplace(std::move(socket), peer);
  acceptor_.pause();
  resume_.arm(kPause);
}

void Listener::on_deadline(int which) {
  if (which == kDrainDeadline) return close_sessions();
  if (auto waiting = std::exchange(waiting_, std::nullopt)) {
    on_accepted(std::move(waiting->first), waiting->second);
    if (waiting_) return;
  }
  acceptor_.start();
}

void Listener::drain(std::chrono::milliseconds deadline, std::function<void()> empty) {
  const Ref<Listener> self(this);
  draining_ = true;
  empty_ = nullptr;  // not before what waits is taken
  resume_.cancel();
  if (auto waiting = std::exchange(waiting_, std::nullopt)) {
    on_accepted(std::move(waiting->first), waiting->second);
  }
  // Closing the socket would reset what the kernel has completed and we have not taken.
  acceptor_.stop();
  // What a session does when told may end others.
  std::vector<Ref<Session>> told;
  told.reserve(sessions_);
  for (Session* session = first_; session != nullptr; session = session->next_) told.emplace_back(session);
  for (const Ref<Session>& session : told) session->drain();
  if (sessions_ == 0) {
    if (empty) empty();
    return;
  }
  empty_ = std::move(empty);
  drain_deadline_.arm(deadline);
}

void Listener::close() {
  const Ref<Listener> self(this);
  draining_ = true;
  empty_ = nullptr;
  resume_.cancel();
  drain_deadline_.cancel();
  waiting_.reset();
  acceptor_.stop();
  close_sessions();
}

void Listener::close_sessions() {
  const Ref<Listener> self(this);
  while (first_ != nullptr) first_->abandon();
}

void Listener::add(Session& session) {
  session.next_ = first_;
  if (first_ != nullptr) first_->previous_ = &session;
  first_ = &session;
  ++sessions_;
}

void Listener::remove(Session& session) {
  if (session.previous_ != nullptr) session.previous_->next_ = session.next_;
  if (session.next_ != nullptr) session.next_->previous_ = session.previous_;
  if (first_ == &session) first_ = session.next_;
  session.next_ = session.previous_ = nullptr;
  --sessions_;
  config_->gauge->remove();
  if (sessions_ == 0 && empty_) {
    drain_deadline_.cancel();
    std::exchange(empty_, nullptr)();
  }
}

}  // namespace holdfast::listener
