// A peer's side of an HTTP/2 connection as a program that a fuzzer writes: each input byte chooses what comes
// next, so that mutations make other frames and field sections instead of broken ones. The broken ones are
// for the targets that read raw bytes.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "../support/http2_frames_by_hand.h"
#include "message.h"

namespace holdfast::fuzz {

class Input {
 public:
  explicit Input(std::string_view bytes) : rest_(bytes) {}
  [[nodiscard]] bool empty() const { return rest_.empty(); }
  std::uint8_t byte() {
    if (rest_.empty()) return 0;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  std::uint32_t number() {
    const std::uint32_t high = byte();  // before the low one, which an expression would not promise
    return high << 8U | byte();
  }
  // A byte of length, and so many.
  std::string_view text() {
    const std::size_t wanted = byte();
    const std::size_t size = std::min(wanted, rest_.size());
    const std::string_view value = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return value;
  }
  template <std::size_t N>
  std::string_view pick(const std::array<std::string_view, N>& words) {
    const std::uint8_t at = byte();
    return at < N ? words[at] : text();
  }

 private:
  std::string_view rest_;
};

inline constexpr auto kNames = std::to_array<std::string_view>({"x",
                                                                "cookie",
                                                                "content-length",
                                                                "te",
                                                                "host",
                                                                "connection",
                                                                "transfer-encoding",
                                                                "expect",
                                                                "trailer",
                                                                "x-auth-subject",
                                                                "x_auth_subject",
                                                                "x-forwarded-for",
                                                                "authorization",
                                                                "dpop",
                                                                "content_length",
                                                                "upgrade",
                                                                "http2-settings",
                                                                "x-http-method-override",
                                                                "sec-websocket-version",
                                                                "sec-websocket-key",
                                                                "set-cookie",
                                                                "content-type",
                                                                "grpc-status",
                                                                "date",
                                                                ":path",
                                                                ":status",
                                                                "X-Upper",
                                                                "keep-alive"});
inline constexpr auto kValues = std::to_array<std::string_view>({"",
                                                                 "a",
                                                                 "0",
                                                                 "1",
                                                                 "5",
                                                                 "16",
                                                                 "trailers",
                                                                 "chunked",
                                                                 "close",
                                                                 "a.example",
                                                                 "a.example:80",
                                                                 "100-continue",
                                                                 "websocket",
                                                                 "13",
                                                                 "a b",
                                                                 "a\r\nb: c",
                                                                 " a ",
                                                                 "a=b",
                                                                 "DPoP x",
                                                                 "\xff"});

// Field section and frames around it; `more` cuts it into CONTINUATION.
inline std::string section(std::uint32_t stream, const support::by_hand::List& fields, bool end,
                           std::size_t more) {
  using namespace support::by_hand;
  const std::string block = hpack(fields);
  const std::size_t first = more == 0 ? block.size() : std::min(block.size(), more);
  const bool whole = first == block.size();
  std::string out =
      frame(kHeaders, (end ? kEnd : 0) | (whole ? kEndHeaders : 0), stream, block.substr(0, first));
  if (!whole) out += frame(kMore, kEndHeaders, stream, block.substr(first));
  return out;
}

inline support::by_hand::List take_fields(Input& in) {
  support::by_hand::List fields;
  for (int left = in.byte() % 8; left > 0; --left) {
    const std::string name(in.pick(kNames));
    fields.emplace_back(name, in.pick(kValues));
  }
  return fields;
}

// The peer's own view of its windows: what it has allowed and not got yet. No more may come. Its settings
// count from their acknowledgement on; one SETTINGS frame stands at the connection's beginning.
class Windows {
 public:
  void open(std::uint32_t stream) { streams_.try_emplace(stream, initial_); }
  void add(std::uint32_t stream, std::int64_t bytes) {
    if (stream == 0) connection_ += bytes;
    if (const auto found = streams_.find(stream); found != streams_.end()) found->second += bytes;
  }
  // SETTINGS with or without an initial window.
  void set(std::optional<std::int64_t> initial) { settings_.push_back(initial); }
  // Frames that were written to the peer.
  void count(std::string_view bytes) {
    for (const auto& frame : support::by_hand::frames(bytes)) {
      const auto size = static_cast<std::int64_t>(frame.payload.size());
      if (frame.type == support::by_hand::kSettings && (frame.flags & support::by_hand::kAck) != 0)
        acknowledge();
      if (frame.type != support::by_hand::kData || size == 0) continue;
      const auto found = streams_.find(frame.stream);
      check(found != streams_.end() && size <= found->second && size <= connection_);
      found->second -= size;
      connection_ -= size;
    }
  }

 private:
  void acknowledge() {
    check(!settings_.empty());
    const std::int64_t bytes = settings_.front().value_or(initial_);
    settings_.pop_front();
    for (auto& [id, window] : streams_) window += bytes - initial_;
    initial_ = bytes;
  }

  std::int64_t initial_ = 65'535;
  std::int64_t connection_ = 65'535;
  std::deque<std::optional<std::int64_t>> settings_{std::nullopt};
  std::map<std::uint32_t, std::int64_t> streams_;
};

// Control frames that a peer may send between others. Raw ones are of no type that moves a window.
inline std::string take_control(Input& in, std::uint32_t stream, Windows& windows) {
  using namespace support::by_hand;
  switch (in.byte() % 7) {
    case 0:
      return frame(kRst, kNone, stream, number(in.byte() % 14, 4));
    case 1: {
      const std::uint32_t bytes = in.number() * (in.byte() % 4 == 0 ? 4096 : 1);
      if (bytes == 0) return {};
      windows.add(stream, bytes);
      return frame(kWindow, kNone, stream, number(bytes, 4));
    }
    case 2: {
      const std::uint32_t bytes = in.number();
      windows.add(0, bytes);
      return bytes == 0 ? std::string() : frame(kWindow, kNone, 0, number(bytes, 4));
    }
    case 3: {
      const std::uint32_t bytes = in.number();
      windows.set(bytes);
      return frame(kSettings, kNone, 0, number(4, 2) + number(bytes, 4));
    }
    case 4:
      windows.set(std::nullopt);
      return frame(kSettings, kNone, 0, number(1, 2) + number(in.number(), 4));
    case 5:
      return frame(kPing, kNone, 0, "12345678");
    default: {
      const int type = in.byte();
      if (type == kSettings || type == kWindow || type == kHeaders || type == kMore) return {};
      const int flags = in.byte();
      return frame(type, flags, stream, in.text());
    }
  }
}

}  // namespace holdfast::fuzz
