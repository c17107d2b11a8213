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
  std::uint32_t stream = 0;

  [[nodiscard]] bool end_stream() const { return (flags & 0x1U) != 0; }   // of DATA and HEADERS
  [[nodiscard]] bool end_headers() const { return (flags & 0x4U) != 0; }  // of HEADERS and CONTINUATION
};

class Http2FrameReader {
 public:
  static constexpr std::size_t kClientPreface = 24;  // RFC 9113 3.4

  // Skips `preface` bytes first.
  explicit Http2FrameReader(std::size_t preface) : skip_(preface) {}

  // Calls `visit` with the head of each frame whose ninth byte is among `bytes`. Where it returns false
  // nothing is read beyond that frame, and nothing beyond the rest of one of a field section in any case.
  // Returns how many bytes were read.
  template <typename Visit>
  std::size_t read(std::span<const char> bytes, Visit visit) {
    std::size_t at = 0;
    for (bool more = !(in_section_ && skip_ != 0); at < bytes.size() && (more || skip_ != 0);) {
      if (skip_ != 0) {
        const std::size_t step = std::min(skip_, bytes.size() - at);
        skip_ -= step;
        at += step;
        continue;
      }
      partial_[have_++] = static_cast<std::uint8_t>(bytes[at++]);
      if (have_ < partial_.size()) continue;
      have_ = 0;
      more = visit(take_head());
    }
    return at;
  }

  // A field section has begun (RFC 9113 4.3) and not all of it has come.
  [[nodiscard]] bool in_field_section() const { return section_open_ || (in_section_ && skip_ != 0); }

 private:
  Http2FrameHead take_head() {
    const Http2FrameHead head{
        .length = static_cast<std::uint32_t>(partial_[0] << 16 | partial_[1] << 8 | partial_[2]),
        .type = static_cast<Http2FrameType>(partial_[3]),
        .flags = partial_[4],
        .stream = (static_cast<std::uint32_t>(partial_[5]) & 0x7fU) << 24 |
                  static_cast<std::uint32_t>(partial_[6]) << 16 |
                  static_cast<std::uint32_t>(partial_[7]) << 8 | static_cast<std::uint32_t>(partial_[8])};
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

// The numbers of a client's streams (RFC 9113 5.1.1): opening one closes every lower one that was never used,
// and HEADERS on such a stream is an error of the connection. libnghttp2 forgets closed streams and takes it
// for a late frame of one that was used. Honest clients pass over no number, so only a few gaps are
// remembered.
class Http2StreamOrder {
 public:
  // false: HEADERS came on a stream that was passed over.
  [[nodiscard]] bool on_headers(std::uint32_t stream) {
    if (stream % 2 == 0) return true;  // not a client's; libnghttp2 refuses it
    if (stream <= last_) {
      return std::none_of(gaps_.begin(), gaps_.begin() + count_,
                          [stream](const Gap& gap) { return gap.first <= stream && stream <= gap.last; });
    }
    const std::uint32_t expected = last_ == 0 ? 1 : last_ + 2;
    if (stream > expected && count_ < static_cast<std::ptrdiff_t>(gaps_.size())) {
      gaps_[static_cast<std::size_t>(count_++)] = {expected, stream - 2};
    }
    last_ = stream;
    return true;
  }

 private:
  struct Gap {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  std::array<Gap, 4> gaps_{};
  std::ptrdiff_t count_ = 0;
  std::uint32_t last_ = 0;
};

}  // namespace holdfast::wire
