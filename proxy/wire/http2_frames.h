// The frame headers of one direction of an HTTP/2 connection (RFC 9113 4.1), read beside libnghttp2, which
// does not tell of every frame that it drops: what floods are counted by, and whether a field section is
// under way. Payloads are skipped, not looked at; what is wrong with them is libnghttp2's to find. No thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::wire {

// RFC 9113 6; RFC 9218 7.1
enum class Http2FrameType : std::uint8_t {
  kData = 0x0,
  kHeaders = 0x1,
  kPriority = 0x2,
  kRstStream = 0x3,
  kSettings = 0x4,
  kPushPromise = 0x5,
  kPing = 0x6,
  kGoaway = 0x7,
  kWindowUpdate = 0x8,
  kContinuation = 0x9,
};

struct Http2FrameHead {
  std::uint32_t length = 0;
  Http2FrameType type = Http2FrameType::kData;  // any value: peers may send unknown ones
  std::uint8_t flags = 0;

  [[nodiscard]] bool end_stream() const { return (flags & 0x1U) != 0; }   // of DATA and HEADERS
  [[nodiscard]] bool end_headers() const { return (flags & 0x4U) != 0; }  // of HEADERS and CONTINUATION
};

class Http2FrameReader {
 public:
  static constexpr std::size_t kClientPreface = 24;  // RFC 9113 3.4

  // Skips `preface` bytes first.
  explicit Http2FrameReader(std::size_t preface) : skip_(preface) {}

  // Calls `visit` with the head of each frame whose ninth byte is among `bytes`.
  template <typename Visit>
  void read(std::span<const char> bytes, Visit visit) {
    while (!bytes.empty()) {
      if (skip_ != 0) {
        const std::size_t step = std::min(skip_, bytes.size());
        skip_ -= step;
        bytes = bytes.subspan(step);
        continue;
      }
      partial_[have_++] = static_cast<std::uint8_t>(bytes.front());
      bytes = bytes.subspan(1);
      if (have_ < partial_.size()) continue;
      have_ = 0;
      visit(take_head());
    }
  }

  // A field section has begun (RFC 9113 4.3) and not all of it has come.
  [[nodiscard]] bool in_field_section() const { return section_open_ || (in_section_ && skip_ != 0); }

 private:
  Http2FrameHead take_head() {
    const Http2FrameHead head{
        .length = static_cast<std::uint32_t>(partial_[0] << 16 | partial_[1] << 8 | partial_[2]),
        .type = static_cast<Http2FrameType>(partial_[3]),
        .flags = partial_[4]};
    skip_ = head.length;
    in_section_ = head.type == Http2FrameType::kHeaders || head.type == Http2FrameType::kContinuation;
    section_open_ = in_section_ && !head.end_headers();
    return head;
  }

  std::size_t skip_;
  std::size_t have_ = 0;
  std::array<std::uint8_t, 9> partial_{};
  bool in_section_ = false;
  bool section_open_ = false;
};

}  // namespace holdfast::wire
