// One whole response head to http::ResponseHead (RFC 9112 4, 5, 6.3). Boost.Beast's parser is the grammar;
// framing is decided here. The one file for responses that includes Beast is response_head.cc. Any thread.
#pragma once

#include <string_view>

#include "http/message.h"

namespace holdfast::wire {

// `bytes` are a complete head that HeadScanner found in order, and live in `head.fields.arena()`. Fills
// status, close, body and fields. Returns an empty view, or why the head is not taken.
[[nodiscard]] std::string_view parse_response_head(std::string_view bytes, std::size_t max_fields,
                                                   bool head_request, http::ResponseHead& head);

}  // namespace holdfast::wire
