#include "settings/replay_rate.h"

#include <algorithm>

#include "dpop/nonce.h"
#include "dpop/replay_key.h"

namespace holdfast::settings {

std::optional<ReplayRate> replay_rate(const Settings& settings) {
  bool proofs = false;
  bool nonces = false;
  for (const Route& route : settings.routes) {
    proofs = proofs || asks_for_token(route.access);
    nonces = nonces || route.nonce == NonceMode::kRequired;
  }
  if (!proofs) return std::nullopt;
  const UnixTime now{};
  std::optional<dpop::NonceTimes> nonce;
  if (nonces) nonce = {now, now + dpop::nonce_accepted_for(settings.dpop.nonce.lifetime), false, true};
  ReplayRate rate;
  rate.capacity = settings.dpop.replay.capacity;
  rate.kept = dpop::replay_lifetime(
      now, nonce, {.max_age = settings.dpop.max_age, .clock_skew = settings.dpop.clock_skew}, now);
  const auto kept = static_cast<double>(rate.kept.count());
  const auto entries = static_cast<double>(rate.capacity);
  rate.per_second = static_cast<std::size_t>(entries / kept);
  rate.per_second_of_one_key =
      static_cast<std::size_t>(std::max(entries * settings.dpop.replay.per_key, 1.0) / kept);
  return rate;
}

std::chrono::milliseconds longest_kept(const Settings& settings) {
  const auto rate = replay_rate(settings);
  const Millis lifetime = settings.dpop.nonce.lifetime;
  const Millis slot = dpop::nonce_accepted_for(lifetime) - lifetime;
  return (rate ? Millis(rate->kept) : Millis(0)) + settings.dpop.clock_skew + slot;
}

}  // namespace holdfast::settings
