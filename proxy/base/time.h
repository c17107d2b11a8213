// The two times that decisions are made with. Rings 0 and 1 never read a clock: they are handed a Now. Any
// thread.
#pragma once

#include <chrono>

namespace holdfast {

using Millis = std::chrono::milliseconds;
// Wall-clock time, in milliseconds since 1970-01-01T00:00:00Z without leap seconds (RFC 7519's NumericDate,
// finer).
using UnixTime = std::chrono::sys_time<Millis>;
// Monotonic time: how long something is kept must not depend on somebody setting the clock.
using SteadyTime = std::chrono::steady_clock::time_point;

struct Now {
  UnixTime wall;
  SteadyTime steady;
};

}  // namespace holdfast
