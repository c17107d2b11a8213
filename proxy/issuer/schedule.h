// When keys are fetched, as decisions with the time as an argument: the background refresh, the retries while
// an issuer is away, and how many fetches strangers' unknown `kid`s can buy. Pure; one thread at a time.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

#include "base/time.h"

namespace holdfast::issuer {

// At most one refetch in `interval` after a burst of kBurst: a token bucket of kBurst, one more every
// interval. Anybody can send tokens with invented `kid`s; without this each would be a request to the issuer.
class RefetchLimiter {
 public:
  static constexpr int kBurst = 3;

  explicit RefetchLimiter(Millis interval) : interval_(std::max(interval, Millis(1))) {}

  [[nodiscard]] bool take(SteadyTime now) {
    // `spent_until_` is when the bucket will be full again.
    const SteadyTime from = std::max(spent_until_, now);
    if (from + interval_ - now > kBurst * interval_) return false;
    spent_until_ = from + interval_;
    return true;
  }

 private:
  Millis interval_;
  SteadyTime spent_until_{};
};

// The wait before the next fetch. `jitter` is random in [0, 1): without it the replicas of a deployment ask
// their issuer all at once for ever.
class RefreshSchedule {
 public:
  static constexpr Millis kFirstRetry{500};
  static constexpr Millis kLongestRetry{10'000};

  explicit RefreshSchedule(Millis refresh) : refresh_(std::max(refresh, Millis(1))) {}

  // Between nine tenths and the whole of `refresh`.
  [[nodiscard]] Millis after_success(double jitter) {
    failures_ = 0;
    return Millis(static_cast<Millis::rep>(static_cast<double>(refresh_.count()) * (1 - jitter / 10)));
  }

  // 0.5 s, 1 s, 2 s, ... 10 s; each up to a tenth shorter, and never longer than `refresh`.
  [[nodiscard]] Millis after_failure(double jitter) {
    const Millis wait = std::min(kFirstRetry * (1 << std::min(failures_, 6)), kLongestRetry);
    ++failures_;
    return Millis(
        static_cast<Millis::rep>(static_cast<double>(std::min(wait, refresh_).count()) * (1 - jitter / 10)));
  }

 private:
  Millis refresh_;
  int failures_ = 0;
};

}  // namespace holdfast::issuer
