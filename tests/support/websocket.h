// The WebSocket protocol as a test needs it (RFC 6455): the backend's half of the handshake, and frames as
// bytes. Shares nothing with proxy/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "support/http_server.h"

namespace holdfast::support {

[[nodiscard]] std::string websocket_accept(std::string_view key);
// Answers a handshake with 101. `fields`: more of them, each with its line's end.
void switch_protocols(Exchange& exchange, std::string_view fields = {});

struct WebSocketFrame {
  std::uint8_t first = 0x82;  // FIN, RSV1-3 and the opcode
  std::string payload;
  bool masked = false;

  bool operator==(const WebSocketFrame&) const = default;
  [[nodiscard]] std::string bytes() const;
};

// 1000 and so on, and the reason.
[[nodiscard]] WebSocketFrame close_frame(std::uint16_t code, std::string_view reason, bool masked);

// Takes the frame at the beginning of `bytes`, if it is whole.
[[nodiscard]] std::optional<WebSocketFrame> take_frame(std::string& bytes);

}  // namespace holdfast::support
