#include "support/websocket.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

namespace holdfast::support {
namespace {

constexpr std::string_view kKey = "\x37\xFA\x21\x3D";  // RFC 6455 5.7

std::string masked(std::string bytes, std::string_view key) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i % 4]);
  return bytes;
}

std::string big_endian(std::uint64_t number, int bytes) {
  std::string out;
  while (bytes-- > 0) out += static_cast<char>(number >> (8 * bytes));
  return out;
}

}  // namespace

std::string websocket_accept(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  unsigned char out[64];
  const int size = EVP_EncodeBlock(out, digest, SHA_DIGEST_LENGTH);
  return {reinterpret_cast<char*>(out), static_cast<std::size_t>(size)};
}

void switch_protocols(Exchange& exchange, std::string_view fields) {
  exchange.send(
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "
      "websocket\r\nSec-WebSocket-Accept: " +
      websocket_accept(exchange.request.fields.value("sec-websocket-key")) + "\r\n" + std::string(fields) +
      "\r\n");
}

std::string WebSocketFrame::bytes() const {
  const std::size_t size = payload.size();
  const unsigned mask = masked ? 0x80U : 0U;
  std::string out(1, static_cast<char>(first));
  if (size < 126) {
    out += static_cast<char>(mask | size);
  } else {
    const int bytes = size <= 0xFFFF ? 2 : 8;
    out += static_cast<char>(mask | (bytes == 2 ? 126U : 127U));
    out += big_endian(size, bytes);
  }
  return masked ? out.append(kKey).append(support::masked(payload, kKey)) : out.append(payload);
}

WebSocketFrame close_frame(std::uint16_t code, std::string_view reason, bool masked) {
  return {0x88, big_endian(code, 2).append(reason), masked};
}

std::optional<WebSocketFrame> take_frame(std::string& bytes) {
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); };
  if (bytes.size() < 2) return std::nullopt;
  WebSocketFrame frame{byte(0), {}, (byte(1) & 0x80) != 0};
  std::uint64_t size = byte(1) & 0x7F;
  const std::size_t more = size == 127 ? 8 : size == 126 ? 2 : 0;
  const std::size_t header = 2 + more + (frame.masked ? 4 : 0);
  if (bytes.size() < header) return std::nullopt;
  if (more != 0) size = 0;
  for (std::size_t i = 0; i < more; ++i) size = size << 8 | byte(2 + i);
  if (bytes.size() - header < size) return std::nullopt;
  frame.payload = bytes.substr(header, size);
  if (frame.masked) frame.payload = masked(std::move(frame.payload), bytes.substr(2 + more, 4));
  bytes.erase(0, header + size);
  return frame;
}

}  // namespace holdfast::support
