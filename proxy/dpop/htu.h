// Whether a proof's `htu` names the request's URI (rule 10): both in http/target_uri's normal form, then byte
// for byte. Pure; any thread.
#pragma once

#include <string_view>

#include "base/reason.h"

namespace holdfast::dpop {

// `normal_uri` is the request's, already normal. Query and fragment of `htu` are ignored (RFC 9449 4.3, point
// 9).
[[nodiscard]] Checked<void> check_htu(std::string_view htu, std::string_view normal_uri);

}  // namespace holdfast::dpop
