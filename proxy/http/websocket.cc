#include "http/websocket.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/base64url.h"
#include "crypto/digest.h"
#include "http/hop_by_hop.h"

namespace holdfast::http {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455 1.3
constexpr std::size_t kKeySize = 24;                                        // 16 bytes in base64

// RFC 4648 4, padded.
std::string base64(std::span<const std::uint8_t> bytes) {
  std::string text = base64url_encode(bytes);
  std::ranges::replace(text, '-', '+');
  std::ranges::replace(text, '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

bool is_key(std::string_view key) {
  if (key.size() != kKeySize || !key.ends_with("==")) return false;
  std::string text(key.substr(0, kKeySize - 2));
  if (text.find_first_of("-_") != std::string::npos) return false;
  std::ranges::replace(text, '+', '-');
  std::ranges::replace(text, '/', '_');
  return base64url_decode(text).has_value();
}

Checked<void> malformed(std::string_view why) {
  return refuse(Reason::request_malformed, std::string(why));
}

}  // namespace

bool asks_for_websocket(const RequestHead& head) {
  if (head.method != "GET" || head.version_major != 1 || head.version_minor != 1) return false;
  const auto upgrade = head.fields.find("upgrade");
  return upgrade && iequals(*upgrade, kWebSocket) && head.fields.count("upgrade") == 1 &&
         connection_lists(head.fields, "upgrade");
}

void become_upgrade(RequestHead& head, std::span<const std::uint8_t, 16> nonce) {
  head.method = "GET";
  head.body = {};
  head.fields.set("sec-websocket-key", base64(nonce));
}

Checked<void> check_websocket(const RequestHead& head) {
  const auto version = head.fields.find("sec-websocket-version");
  if (!version || *version != "13" || head.fields.count("sec-websocket-version") != 1) {
    return malformed("only version 13 of WebSocket is spoken here");
  }
  const auto key = head.fields.find("sec-websocket-key");
  if (!key || !is_key(*key) || head.fields.count("sec-websocket-key") != 1) {
    return malformed("Sec-WebSocket-Key is not 16 bytes in base64");
  }
  if (head.body.kind != BodyLength::Kind::kNone) return malformed("a WebSocket handshake with a body");
  return {};
}

std::string websocket_accept(std::string_view key) {
  return base64(crypto::sha1(std::string(key).append(kGuid)));
}

bool accepts_websocket(const ResponseHead& answer, std::string_view key) {
  const auto upgrade = answer.fields.find("upgrade");
  const auto accept = answer.fields.find("sec-websocket-accept");
  return upgrade && iequals(*upgrade, kWebSocket) && connection_lists(answer.fields, "upgrade") && accept &&
         answer.fields.count("sec-websocket-accept") == 1 && *accept == websocket_accept(key);
}

}  // namespace holdfast::http
