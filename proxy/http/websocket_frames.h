// Where the frames of a WebSocket end (RFC 6455 5.2), for one direction of a tunnel whose bytes pass
// untouched, and the one frame that we write ourselves:
//
//   frame  = first second [length] [key] payload
//   first  = FIN RSV1 RSV2 RSV3 opcode(4)
//   second = MASK length(7)      126: the length is in 2 bytes that follow, 127: in 8; big-endian
//   key    = 4 bytes, where MASK is set
//
// Only headers are read, and only to find the next one: whether a frame is masked, fragmented, reserved or
// too long as it should be is the endpoints' to judge. A length of 2^63 or more, which 5.2 forbids, is the
// one thing that leaves nobody knowing where the next frame begins: after it there is no boundary any more.
// State is a few bytes whatever comes. Pure; one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::http {

class WebSocketFrames {
 public:
  // Follows all of `bytes`.
  void pass(std::span<const char> bytes) { follow(bytes, false); }
  // Follows the rest of a frame that has begun, and no byte of the next one; how much of `bytes` that was.
  // Nothing at a boundary.
  std::size_t finish(std::span<const char> bytes) { return at_boundary() ? 0 : follow(bytes, true); }

  // Here a frame of ours may stand: also between the fragments of a message, since it is a control frame
  // (5.4).
  [[nodiscard]] bool at_boundary() const { return header_size_ == 0 && !in_payload_ && !lost_; }
  // A whole Close frame has passed: nothing may follow it (5.5.1).
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  std::size_t follow(std::span<const char> bytes, bool one_frame);
  void take_header_byte(std::uint8_t byte);
  void end_frame();

  std::uint64_t left_ = 0;  // of the payload; while the header is read, its length so far
  std::uint8_t header_size_ = 0;
  std::uint8_t header_wanted_ = 0;  // known from the second byte on
  std::uint8_t length_bytes_ = 0;   // those that stand after the second byte
  std::uint8_t opcode_ = 0;
  bool in_payload_ = false;
  bool lost_ = false;
  bool closed_ = false;
};

// RFC 6455 7.4.1
inline constexpr std::uint16_t kGoingAway = 1001;
inline constexpr std::uint16_t kPolicyViolation = 1008;

// A Close frame (5.5.1); `reason` is UTF-8 of at most 123 bytes. With a key as a client sends it (5.3).
[[nodiscard]] std::string close_frame(std::uint16_t code, std::string_view reason,
                                      std::optional<std::uint32_t> key = std::nullopt);

}  // namespace holdfast::http
