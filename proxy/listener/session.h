// One protocol spoken on one connection, once the connection knows which: HTTP/1 or HTTP/2. The connection
// owns the stream and the session; the session reads and writes the stream and says when the connection is
// over. Worker's thread only.
#pragma once

#include <chrono>
#include <span>

#include "base/counted.h"
#include "pipeline/exchange.h"
#include "wire/http1.h"

namespace holdfast::listener {

// How long the client may take to end its side, of a connection or of a tunnel, after ours was ended.
inline constexpr std::chrono::milliseconds kLingerTime{5'000};

// What the story is told of a request whose body or trailers the codec refuses.
[[nodiscard]] inline pipeline::Cause cause_of(const wire::Fault& fault) {
  switch (fault.refusal.reason) {
    case Reason::request_too_large:
      return pipeline::Cause::kRequestTooLarge;
    case Reason::headers_too_large:
      return pipeline::Cause::kTrailersTooLarge;
    default:
      return pipeline::Cause::kRequestMalformed;
  }
}

class Session : public virtual Counted {
 public:
  // `first`: what was read of the connection to find out its protocol; may be empty. Called once, before
  // anything else.
  virtual void start(std::span<const char> first) = 0;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
  // Ends an idle connection; any other after the answers that are under way. Connection::draining() is true
  // already.
  virtual void drain() = 0;
  // Closes at once; the requests under way are cancelled.
  virtual void abandon() = 0;
};

}  // namespace holdfast::listener
