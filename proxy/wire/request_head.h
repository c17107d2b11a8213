// One whole request head to http::RequestHead (RFC 9112 3, 5; RFC 9110 7.2). Boost.Beast's parser is the
// grammar; what it lets pass and what a head must mean is decided here. The one file for requests that
// includes Beast is request_head.cc. Any thread.
#pragma once

#include <string_view>

#include "http/message.h"
#include "wire/http1.h"

namespace holdfast::wire {

// `bytes` are a complete head that HeadScanner found in order, and live in `head.fields.arena()`. false:
// `fault` says why and `head` holds what could be read.
[[nodiscard]] bool parse_request_head(std::string_view bytes, std::size_t max_fields, http::RequestHead& head,
                                      bool& wants_close, Fault& fault);

}  // namespace holdfast::wire
