// One protocol spoken on one connection, once the connection knows which: HTTP/1 or HTTP/2. The connection
// owns the stream and the session; the session reads and writes the stream and says when the connection is
// over. Worker's thread only.
#pragma once

#include <span>

#include "base/counted.h"

namespace holdfast::listener {

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
