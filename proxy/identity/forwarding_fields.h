// Tells the backend how the request came: X-Forwarded-For (appended), -Proto and -Host (one value each, from
// the origin that was decided), Via (RFC 9110 7.6.3), X-Request-Id and W3C traceparent. Runs after
// HeaderPlan::strip_request, so what a client may not say is gone already and what is still there came from a
// trusted proxy. Pure; one thread per message.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "http/message.h"
#include "http/origin.h"

namespace holdfast::identity {

struct ForwardingFacts {
  std::string_view peer;       // the peer's address as text, without brackets
  const http::Origin* origin;  // as policy::decide_origin says
  std::uint8_t version_major = 1;
  std::uint8_t version_minor = 1;
};

// What the log and the backend call the request by.
struct RequestIds {
  std::string_view request_id;
  std::string_view trace_id;  // 32 hex digits
  std::string_view span_id;   // 16 hex digits: ours, where the trace begins here
};

// 1 to 128 characters that a trusted proxy's request id may have; ours are of them, too.
[[nodiscard]] bool is_request_id(std::string_view value);

// Fresh for each request: 16 bytes for the id, 16 for a trace, 8 for our span.
using IdBytes = std::array<std::uint8_t, 40>;

// The ids of a request with these fields, before anything is stripped: the sender's own request id where a
// trusted proxy sent it, the trace that the sender is in where there is one. Views into the fields, or into
// `arena`.
[[nodiscard]] RequestIds choose_ids(const http::Fields& fields, bool from_trusted_proxy,
                                    const IdBytes& random, Arena& arena);

// A traceparent that is there goes on as it came: Holdfast reports no spans, and a parent that nobody reports
// would tear the trace. One begun here is marked sampled, which leaves the decision as it would be without a
// proxy.
void set_forwarding(http::Fields& fields, const ForwardingFacts& facts, const RequestIds& ids);

// A traceparent value of version 00 (or a later version's first 55 bytes): 00-<32 hex>-<16 hex>-<2 hex>, ids
// not all zero.
[[nodiscard]] bool is_traceparent(std::string_view value);

// Adds our hop to a response's Via.
void add_via(http::Fields& fields, std::uint8_t version_major, std::uint8_t version_minor);

}  // namespace holdfast::identity
