// The frames of a WebSocket tunnel. The first input byte says how the rest is cut into pieces. Against a
// reader of its own that sees everything at once: no piece may make a difference, and finish() stops exactly
// where the frame does.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <span>

#include "http/websocket_frames.h"

namespace {

using holdfast::http::WebSocketFrames;
using Bytes = std::span<const std::uint8_t>;

// The size of the frame at the beginning of `bytes`, which may hold less than that; nullopt: its header is
// not whole, or says nothing that a size could be.
std::optional<std::uint64_t> frame_size(Bytes bytes) {
  if (bytes.size() < 2) return std::nullopt;
  std::uint64_t length = bytes[1] & 0x7FU;
  const std::size_t more = length == 127 ? 8 : length == 126 ? 2 : 0;
  const std::size_t header = 2 + more + ((bytes[1] & 0x80U) != 0 ? 4 : 0);
  if (bytes.size() < header) return std::nullopt;
  if (more != 0) length = 0;
  for (std::size_t i = 0; i < more; ++i) length = length << 8 | bytes[2 + i];
  if (length >> 63 != 0) return std::nullopt;
  return length + header;
}

std::span<const char> chars(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t piece = std::size_t{data[0]} + 1;
  const Bytes stream(data + 1, size - 1);
  WebSocketFrames pieces;
  bool closed = false;
  std::size_t at = 0;
  while (at < stream.size()) {
    const Bytes rest = stream.subspan(at);
    const auto frame = frame_size(rest);
    const bool whole = frame && *frame <= rest.size();
    const std::size_t end = whole ? static_cast<std::size_t>(*frame) : rest.size();
    for (std::size_t fed = 0; fed < end; fed += piece) {
      pieces.pass(chars(rest.subspan(fed, std::min(piece, end - fed))));
      if (pieces.at_boundary() != (whole && fed + piece >= end)) std::abort();
    }
    closed = closed || (whole && (rest[0] & 0x0FU) == 8);
    if (pieces.closed() != closed) std::abort();
    // Begun at any byte, the same frame is finished where it ends.
    WebSocketFrames begun;
    const std::size_t first = std::min(piece, end);
    begun.pass(chars(rest.first(first)));
    if (begun.finish(chars(rest.subspan(first))) != end - first) std::abort();
    if (begun.at_boundary() != whole) std::abort();
    at += end;
  }
  return 0;
}
