// The WebSocket handshake as HTTP knows it (RFC 6455 4), over HTTP/1.1 as an upgrade and over HTTP/2 as an
// extended CONNECT (RFC 8441). A head that is one has `protocol` set to "websocket"; the HTTP/2 form is
// brought to the HTTP/1 form, GET without a body, so that routes, `htm` and backends meet one kind only.
// Nothing else may be upgraded to. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/reason.h"
#include "http/message.h"

namespace holdfast::http {

inline constexpr std::string_view kWebSocket = "websocket";

[[nodiscard]] inline bool is_websocket(const RequestHead& head) {
  return head.protocol == kWebSocket;
}

// An HTTP/1.1 GET whose Upgrade names WebSocket and nothing else, and whose Connection lists it.
[[nodiscard]] bool asks_for_websocket(const RequestHead& head);
// Turns an extended CONNECT into what asks_for_websocket() is true for; its key, which HTTP/2 does without,
// is made of `nonce`.
void become_upgrade(RequestHead& head, std::span<const std::uint8_t, 16> nonce);

// 4.2.1: version 13, one key of 16 bytes.
[[nodiscard]] Checked<void> check_websocket(const RequestHead& head);

// Sec-WebSocket-Accept for a key.
[[nodiscard]] std::string websocket_accept(std::string_view key);
// 4.1: whether a 101 is the answer to the handshake with this key, and to nothing else.
[[nodiscard]] bool accepts_websocket(const ResponseHead& answer, std::string_view key);

}  // namespace holdfast::http
