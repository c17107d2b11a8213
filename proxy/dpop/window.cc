#include "dpop/window.h"

#include <algorithm>

namespace holdfast::dpop {

Millis Window::reach(UnixTime iat) const {
  const Millis whole = max_age + clock_skew;
  return earlier && iat <= earlier->until ? std::min(whole, earlier->reach) : whole;
}

Window succeed(const Window& before, Window after, UnixTime at) {
  const Millis old_reach = before.max_age + before.clock_skew;
  const Millis new_reach = after.max_age + after.clock_skew;
  after.nonces_since = before.nonces_since;
  // Whom an earlier reload holds back, it holds back until they are too old by any measure.
  if (before.earlier && before.earlier->until + new_reach >= at) after.earlier = before.earlier;
  if (new_reach > old_reach) {
    // A client whose clock is ahead has dated its proofs so.
    after.earlier = {.until = at + before.clock_skew,
                     .reach = after.earlier ? std::min(old_reach, after.earlier->reach) : old_reach};
  }
  return after;
}

}  // namespace holdfast::dpop
