#include "admin/heartbeats.h"

namespace holdfast::admin {

void Heartbeats::watch(boost::asio::io_context& worker) {
  beats_.push_back(std::make_unique<Beat>(worker));
  beat(*beats_.back());
}

void Heartbeats::end(std::size_t worker) {
  beats_.at(worker)->timer.cancel();
}

bool Heartbeats::alive(SteadyTime now) const {
  for (const auto& beat : beats_) {
    const SteadyTime at{SteadyTime::duration(beat->at.load(std::memory_order_relaxed))};
    if (now - at > kLimit) return false;
  }
  return true;
}

void Heartbeats::beat(Beat& beat) {
  const SteadyTime now = std::chrono::steady_clock::now();
  beat.at.store(now.time_since_epoch().count(), std::memory_order_relaxed);
  beat.timer.expires_at(now + kBeat);
  beat.timer.async_wait([&beat](boost::system::error_code cancelled) {
    if (!cancelled) Heartbeats::beat(beat);
  });
}

}  // namespace holdfast::admin
