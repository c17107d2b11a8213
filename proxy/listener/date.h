// The Date field (RFC 9110 6.6.1): clients with a wrong clock correct their proofs by it. Made once a second
// a thread. The view is valid until the thread's next call.
#pragma once

#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace holdfast::listener {

// IMF-fixdate (RFC 9110 5.6.7).
[[nodiscard]] std::string_view http_date(UnixTime now);

// Adds Date where it is missing, as a view: for fields that are sent at once.
void add_date(http::Fields& fields);

}  // namespace holdfast::listener
