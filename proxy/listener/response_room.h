// How much of its answers one HTTP/2 connection may have us hold: what its streams' backends may send before
// the client takes it. A client that takes nothing, on a hundred streams, costs kAll and a little for each
// stream; one that takes what it is sent has room for long pieces on few streams and shorter ones on many. A
// stream's room changes as its answer moves: it is never taken back from bytes that are here already. No
// thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "pipeline/exchange.h"

namespace holdfast::listener {

class ResponseRoom {
 public:
  static constexpr std::size_t kAll = 96 * 1024;
  static constexpr std::size_t kLeast = 1536;  // of one stream, beyond kAll if need be
  static constexpr std::size_t kMost = pipeline::kInitialCredit;

  // A stream begins; the result is its room. Each of a burst gets a share of what those before it left.
  [[nodiscard]] std::size_t begin() {
    ++streams_;
    const std::size_t room = std::clamp(left() / 4, kLeast, kMost);
    given_ += room;
    return room;
  }
  // A stream with so much room has `spare` bytes of it to give back or to keep; the result is its room now,
  // not less than `room - spare`.
  [[nodiscard]] std::size_t resize(std::size_t room, std::size_t spare) {
    const std::size_t fair = std::clamp(kAll / streams_, kLeast, kMost);
    const std::size_t now =
        room > fair ? std::max(fair, room - std::min(spare, room)) : std::min(fair, room + left() / 4);
    given_ = given_ - room + now;
    return now;
  }
  void end(std::size_t room) {
    --streams_;
    given_ -= room;
  }

 private:
  [[nodiscard]] std::size_t left() const { return kAll - std::min(given_, kAll); }

  std::size_t streams_ = 0;
  std::size_t given_ = 0;
};

}  // namespace holdfast::listener
