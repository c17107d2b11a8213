#include "http/websocket_frames.h"

#include <algorithm>
#include <cassert>

namespace holdfast::http {
namespace {

constexpr std::uint8_t kFin = 0x80;
constexpr std::uint8_t kMask = 0x80;
constexpr std::uint8_t kOpcode = 0x0F;
constexpr std::uint8_t kClose = 0x8;
constexpr std::uint8_t kTwoBytes = 126;
constexpr std::uint8_t kEightBytes = 127;
constexpr std::uint8_t kKeySize = 4;
constexpr std::size_t kMaxControl = 125;  // of a control frame's payload (5.5)
constexpr std::uint64_t kForbidden = std::uint64_t{1} << 63;

char byte_of(std::uint32_t word, unsigned place) {
  return static_cast<char>(word >> (24 - 8 * place));
}

}  // namespace

std::size_t WebSocketFrames::follow(std::span<const char> bytes, bool one_frame) {
  std::size_t used = 0;
  while (used < bytes.size() && !lost_) {
    if (in_payload_) {
      const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size() - used));
      used += size;
      left_ -= size;
      if (left_ == 0) end_frame();
    } else {
      take_header_byte(static_cast<std::uint8_t>(bytes[used++]));
    }
    if (one_frame && at_boundary()) return used;
  }
  return bytes.size();
}

void WebSocketFrames::take_header_byte(std::uint8_t byte) {
  ++header_size_;
  if (header_size_ == 1) {
    opcode_ = byte & kOpcode;
    header_wanted_ = 2;
    return;
  }
  if (header_size_ == 2) {
    const std::uint8_t length = byte & static_cast<std::uint8_t>(~kMask);
    length_bytes_ = length == kEightBytes ? 8 : length == kTwoBytes ? 2 : 0;
    left_ = length_bytes_ == 0 ? length : 0;
    header_wanted_ = static_cast<std::uint8_t>(2 + length_bytes_ + ((byte & kMask) != 0 ? kKeySize : 0));
  } else if (header_size_ <= 2 + length_bytes_) {
    left_ = left_ << 8 | byte;
  }
  if (header_size_ != header_wanted_) return;
  if (left_ >= kForbidden) {
    lost_ = true;
    return;
  }
  header_size_ = 0;
  in_payload_ = true;
  if (left_ == 0) end_frame();
}

void WebSocketFrames::end_frame() {
  in_payload_ = false;
  closed_ = closed_ || opcode_ == kClose;
}

std::string close_frame(std::uint16_t code, std::string_view reason, std::optional<std::uint32_t> key) {
  assert(reason.size() + 2 <= kMaxControl);
  std::string frame;
  frame += static_cast<char>(kFin | kClose);
  frame += static_cast<char>((key ? kMask : 0) | (reason.size() + 2));
  if (key) {
    for (unsigned i = 0; i < kKeySize; ++i) frame += byte_of(*key, i);
  }
  const std::size_t payload = frame.size();
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code);
  frame += reason;
  if (!key) return frame;
  for (std::size_t i = payload; i < frame.size(); ++i) {
    frame[i] = static_cast<char>(frame[i] ^ byte_of(*key, static_cast<unsigned>((i - payload) % kKeySize)));
  }
  return frame;
}

}  // namespace holdfast::http
