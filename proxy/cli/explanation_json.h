// An explanation as it travels from a running process to `holdfast explain --id`, or to anything else that
// asks the admin listener:
//
//   {"allowed": false, "verdict": "denied: 401 htu_mismatch (...)", "about": "request ... of ...",
//    "checks": [{"name": "htu", "state": "passed" | "failed" | "not_evaluated", "words": "...", "mend":
//    "..."}]}
//
// Pure; any thread.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "cli/explain.h"

namespace holdfast::cli {

[[nodiscard]] std::string to_json(const Explanation& explanation);

// Of what to_json() wrote; members that are not known here are passed over. The error says what is missing.
[[nodiscard]] std::expected<Explanation, std::string> read_explanation(std::string_view json);

}  // namespace holdfast::cli
