// HTTP/2 frames put together by hand, for what no library would send (RFC 9113 4.1, RFC 7541 6.2.2).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::support::by_hand {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum Type : std::uint8_t {
  kData,
  kHeaders,
  kPriority,
  kRst,
  kSettings,
  kPush,
  kPing,
  kGoaway,
  kWindow,
  kMore
};
enum Flag : std::uint8_t { kNone = 0, kAck = 1, kEnd = 1, kEndHeaders = 4, kPadded = 8 };

inline std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> shift & 0xff));
  return out;
}

inline std::string frame(int type, int flags, std::uint32_t stream, std::string_view payload = {}) {
  return number(payload.size(), 3) + number(static_cast<std::uint64_t>(type), 1) +
         number(static_cast<std::uint64_t>(flags), 1) + number(stream, 4) + std::string(payload);
}

// An HPACK string or index with a prefix of 7 bits, without Huffman.
inline std::string text(std::string_view value) {
  std::string out;
  if (value.size() < 127) {
    out.push_back(static_cast<char>(value.size()));
  } else {
    out.push_back(127);
    std::size_t rest = value.size() - 127;
    for (; rest >= 128; rest /= 128) out.push_back(static_cast<char>(rest % 128 + 128));
    out.push_back(static_cast<char>(rest));
  }
  return out.append(value);
}

using List = std::vector<std::pair<std::string, std::string>>;

// Literals without indexing.
inline std::string hpack(const List& fields) {
  std::string out;
  for (const auto& [name, value] : fields) out += std::string(1, '\0') + text(name) + text(value);
  return out;
}

// A literal that enters the table (RFC 7541 6.2.1).
inline std::string entry(std::string_view name, std::string_view value) {
  return std::string(1, '\x40') + text(name) + text(value);
}

inline std::string headers(std::uint32_t stream, const List& fields, bool end = true) {
  return frame(kHeaders, kEndHeaders | (end ? kEnd : kNone), stream, hpack(fields));
}

inline List get(std::string_view path = "/") {
  return {
      {":method", "GET"}, {":scheme", "https"}, {":path", std::string(path)}, {":authority", "a.example"}};
}
inline List post(std::string_view path = "/") {
  return {
      {":method", "POST"}, {":scheme", "https"}, {":path", std::string(path)}, {":authority", "a.example"}};
}
inline List with(List list, const List& more) {
  list.insert(list.end(), more.begin(), more.end());
  return list;
}

inline std::string hello() {
  return std::string(kPreface) + frame(kSettings, kNone, 0);
}

// What a peer sent, frame by frame.
struct Frame {
  int type;
  int flags;
  std::uint32_t stream;
  std::string payload;

  [[nodiscard]] std::uint32_t word(std::size_t at) const {
    std::uint32_t value = 0;
    for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | static_cast<std::uint8_t>(payload.at(i));
    return value;
  }
};

inline std::vector<Frame> frames(std::string_view bytes) {
  std::vector<Frame> out;
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  while (bytes.size() >= 9) {
    const std::size_t size = static_cast<std::size_t>(byte(0) << 16 | byte(1) << 8 | byte(2));
    if (bytes.size() < 9 + size) break;
    const std::uint32_t stream =
        static_cast<std::uint32_t>(byte(5) << 24 | byte(6) << 16 | byte(7) << 8 | byte(8));
    out.push_back({byte(3), byte(4), stream, std::string(bytes.substr(9, size))});
    bytes.remove_prefix(9 + size);
  }
  return out;
}

}  // namespace holdfast::support::by_hand
