// What the HTTP/1 decoders share: limits, events, and the fault that names why bytes were not taken. The
// decoders are bytes in, events out: no socket, no clock, no thread. RFC 9112, read strictly: what two
// readers could take for two different things is refused, never repaired. Any thread, one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "base/reason.h"

namespace holdfast::wire {

struct Limits {
  std::size_t max_head_bytes = 64 * 1024;  // start line and fields together; trailers have the same
  std::size_t max_fields = 100;
  std::uint64_t max_body_bytes = std::numeric_limits<std::uint64_t>::max();
};

enum class Event : std::uint8_t {
  kNeedMore,  // nothing more to say before more bytes come; everything offered was consumed
  kInterim,   // responses only: a 1xx head other than 101; take_head() has it
  kHead,      // take_head() has it
  kData,      // Step::data, body without framing; a view into the bytes offered
  kEnd,  // the message ended; take_trailers() has its trailers; bytes not consumed belong to the next message
  kFault,  // fault() says why; nothing after it makes sense
};

// One step of a decoder. The caller drops `consumed` bytes from the front of what it offered and calls again,
// also with nothing left, until kNeedMore, kEnd or kFault.
struct Step {
  Event event = Event::kNeedMore;
  std::size_t consumed = 0;
  std::span<const char> data = {};
};

// A request that is refused: the reason and sentence for the answer, and the exact status (400, 413, 414,
// 431, 501 or 505), which one reason alone does not tell. The connection closes after the answer.
struct Fault {
  Refusal refusal{Reason::request_malformed, {}};
  std::uint16_t status = 400;
};

}  // namespace holdfast::wire
