#include "net/resolver.h"

#include <netdb.h>

#include <algorithm>
#include <utility>

namespace holdfast::net {

std::expected<Endpoints, std::string> resolve_now(const std::string& host, std::uint16_t port) {
  if (auto literal = Endpoint::from(host, port)) return Endpoints{*literal};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (error != 0) return std::unexpected(host + ": " + gai_strerror(error));
  Endpoints found;
  for (const addrinfo* at = list; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Endpoint endpoint(at->ai_addr, at->ai_addrlen);
    endpoint.set_port(port);
    if (std::find(found.begin(), found.end(), endpoint) == found.end()) found.push_back(endpoint);
  }
  freeaddrinfo(list);
  if (found.empty()) return std::unexpected(host + ": no address");
  return found;
}

Resolver::Resolver(Worker& worker, std::string host, std::uint16_t port, std::chrono::milliseconds interval,
                   Changed changed)
    : worker_(worker),
      host_(std::move(host)),
      port_(port),
      interval_(interval),
      changed_(std::make_shared<Changed>(std::move(changed))) {
  if (auto literal = Endpoint::from(host_, port_)) {
    worker_.post([endpoints = Endpoints{*literal}, weak = std::weak_ptr<Changed>(changed_)] {
      if (const auto tell = weak.lock()) (*tell)(endpoints);
    });
    return;
  }
  ended_.store(false, std::memory_order_relaxed);
  thread_ = std::thread([this] {
    loop();
    ended_.store(true, std::memory_order_release);
  });
}

void Resolver::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.reset();
  }
  wake_.notify_one();
}

Resolver::~Resolver() {
  end();
  if (thread_.joinable()) thread_.join();
}

void Resolver::loop() {
  Endpoints known;
  std::unique_lock lock(mutex_);
  while (!ending_) {
    lock.unlock();
    auto answer = resolve_now(host_, port_);
    lock.lock();
    if (ending_) return;
    const bool failed = !answer;
    // Round-robin DNS turns the order with every answer; that alone is no change.
    const bool same = answer && answer->size() == known.size() &&
                      std::is_permutation(answer->begin(), answer->end(), known.begin());
    if (!same) {
      if (answer) known = *answer;
      worker_.post([answer = std::move(answer), weak = std::weak_ptr<Changed>(changed_)] {
        if (const auto tell = weak.lock()) (*tell)(answer);
      });
    }
    const auto pause = failed ? std::min(interval_, std::chrono::milliseconds(1000)) : interval_;
    wake_.wait_for(lock, pause, [this] { return ending_; });
  }
}

}  // namespace holdfast::net
