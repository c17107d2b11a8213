// For how long a proof is accepted by its `iat` (rules 11 and 16), and what holds after a reload for the
// proofs from before it: what remembered those was kept for the old window, so a new one that is wider must
// not let them in again. Pure; any thread.
#pragma once

#include <optional>

#include "base/time.h"

namespace holdfast::dpop {

// [now - max_age - clock_skew, now + clock_skew]
struct Window {
  Millis max_age{60'000};
  Millis clock_skew{10'000};

  // Proofs issued until then are accepted for no longer after their `iat` than `reach`.
  struct Earlier {
    UnixTime until;
    Millis reach;
  };
  std::optional<Earlier> earlier;

  // A proof with a nonce issued before may have been accepted where none was asked for, and was then
  // remembered by its `iat`: by that it is judged.
  UnixTime nonces_since = UnixTime::min();

  // How long after `iat` a proof may be accepted.
  [[nodiscard]] Millis reach(UnixTime iat) const;
};

// `after`, which is configured instead of `before`, as it holds when `before` has let in its last proof at
// `at`.
[[nodiscard]] Window succeed(const Window& before, Window after, UnixTime at);

}  // namespace holdfast::dpop
