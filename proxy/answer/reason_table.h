// One row a reason: the status, the OAuth error code of its challenge and the title of its problem document.
// The contract's table "Answers" in code; nothing else in the program maps a reason to a status. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/reason.h"

namespace holdfast::answer {

// What WWW-Authenticate says about a refusal.
enum class Challenge : std::uint8_t {
  none,      // no such field
  bare,      // the schemes that the route takes, without `error`
  on_tried,  // `error` on the scheme that was tried
  on_dpop,   // `error` on DPoP: it is the proof that failed
  on_each,   // `error` on each scheme
};

// What becomes of the client afterwards.
enum class After : std::uint8_t {
  nothing,
  retry,  // Retry-After: the same request may pass soon
  close,  // the connection's framing can no longer be trusted
};

struct ReasonRow {
  Reason reason;
  std::uint16_t status;
  Challenge challenge;
  std::string_view error;  // RFC 6750 3.1, RFC 9449 12.2, RFC 9470 3; empty: none
  std::string_view title;
  After after = After::nothing;
};

[[nodiscard]] const ReasonRow& reason_row(Reason reason);

}  // namespace holdfast::answer
