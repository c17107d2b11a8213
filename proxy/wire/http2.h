// What the HTTP/2 codecs share (RFC 9113): stream numbers, error codes, limits, and the ways in which a
// stream ends. libnghttp2 does frames, HPACK and flow control; no socket, no thread, no clock of our own. One
// worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace holdfast::wire {

using StreamId = std::int32_t;

// RFC 9113 7
enum class Http2Error : std::uint32_t {
  kNoError = 0x0,
  kProtocolError = 0x1,
  kInternalError = 0x2,
  kFlowControlError = 0x3,
  kSettingsTimeout = 0x4,
  kStreamClosed = 0x5,
  kFrameSizeError = 0x6,
  kRefusedStream = 0x7,
  kCancel = 0x8,
  kCompressionError = 0x9,
  kConnectError = 0xa,
  kEnhanceYourCalm = 0xb,
  kInadequateSecurity = 0xc,
  kHttp11Required = 0xd,
};

struct Http2Limits {
  std::size_t max_head_bytes = 64 * 1024;  // of a decoded field section, names and values; trailers the same
  std::size_t max_fields = 100;            // of a section, pseudo-header fields not counted
  std::uint64_t max_body_bytes = std::numeric_limits<std::uint64_t>::max();
  std::uint32_t max_streams = 100;  // that the peer may have open at once
};

// A stream's window towards us, and so the most of one body that is ever held here: what was granted passes
// through at once.
inline constexpr std::uint32_t kHttp2StreamWindow = 64 * 1024;
// The connection's window. Bytes count against it no longer once they are here, up to kHttp2Held of them in
// all streams together; beyond that once they are handed on. So slow streams do not hold up others before
// they hold that much, and a peer never makes us hold more than the two together.
inline constexpr std::uint32_t kHttp2ConnectionWindow = 1024 * 1024;
inline constexpr std::size_t kHttp2Held = 512 * 1024;
// What the heads of a client's open requests may cost besides their bytes, which HPACK lets them share: an
// octet on the wire can be a field of nothing, or name a target of 4 KiB once more. A hundred requests of
// forty fields are below it; a stream that would go beyond is refused, and clients send such again.
inline constexpr std::size_t kHttp2HeadCost = 256 * 1024;

// How many frames of one peer are taken in one turn of the loop, and how many octets of a decoded field
// section count as one: else a peer that sends a read full of small ones would hold up all others for as
// long.
inline constexpr std::size_t kHttp2TurnAllowance = 24;
inline constexpr std::size_t kHttp2DecodedPerFrame = 1024;

// What a peer did beyond making and answering requests; for metrics. Never reset.
struct Http2Counts {
  std::uint64_t resets = 0;          // streams that the peer reset before they were done
  std::uint64_t malformed = 0;       // streams reset because of what the peer sent on them
  std::uint64_t idle_frames = 0;     // PING, SETTINGS, PRIORITY, unknown, and empty DATA frames
  std::uint64_t window_updates = 0;  // beyond what our own DATA explains
  std::uint64_t repeats = 0;         // field sections that repeat much more than was sent
  std::uint64_t refused = 0;         // streams refused because of what heads cost, theirs or those of others
  std::uint64_t calmed = 0;          // 1 once the connection was ended with ENHANCE_YOUR_CALM
  std::uint64_t broken = 0;          // 1 once it was ended for what RFC 9113 calls a connection error

  bool operator==(const Http2Counts&) const = default;
};

}  // namespace holdfast::wire
