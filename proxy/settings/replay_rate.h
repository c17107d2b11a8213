// What the replay store sustains: every proof that counted stays in it until it can no longer be accepted, so
// that its capacity over that time is a rate. Told by `check`, since a store that is full refuses requests.
// Pure; any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "settings/model.h"

namespace holdfast::settings {

struct ReplayRate {
  std::size_t capacity = 0;
  std::chrono::seconds kept{
      1};  // a proof that is made and used now, with a fresh nonce where one is asked for
  std::size_t per_second = 0;
  std::size_t per_second_of_one_key = 0;
};

// The longest that a proof is kept which is dated as it should be: its client's clock may be ahead by the
// skew, and a replica's by a nonce's slot.
[[nodiscard]] std::chrono::milliseconds longest_kept(const Settings& settings);

// nullopt: no route asks for a proof.
[[nodiscard]] std::optional<ReplayRate> replay_rate(const Settings& settings);

}  // namespace holdfast::settings
