// What one HTTP/2 peer may do beside making requests: a token bucket for what costs us something and is no
// message of its own (CVE-2023-44487 and its kin: resets, provoked resets, settings, priorities, empty
// frames, pings and window updates that no DATA explains). Every honest client does some of each; none does
// many in a short time without getting answers too, so both time and streams that end well give tokens back.
// Time is an argument. No thread.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "base/time.h"
#include "wire/http2.h"
#include "wire/http2_frames.h"

namespace holdfast::wire {

class Http2Budget {
 public:
  static constexpr std::int64_t kCapacity = 500;
  static constexpr std::int64_t kPerSecond = 25;
  // A receiver may send one for the stream and one for the connection; some send more, in small steps.
  static constexpr std::int64_t kWindowUpdatesPerData = 10;
  static constexpr std::int64_t kFreeWindowUpdates = 200;
  // A receiver that measures the way's bandwidth (grpc-go, netty, hyper) sends one for a DATA frame, and not
  // another before it was answered. What is not used is not kept for a flood.
  static constexpr std::int64_t kPingsPerData = 1;
  static constexpr std::int64_t kMaxPings = 100;
  static constexpr std::int64_t kStraysPerCut = 1000;
  // Octets of field sections that HPACK's table spared the peer to send: free in each section, and for all
  // together, at once and by the second. They cost us and a backend as much as if they had been sent.
  static constexpr std::size_t kFreeRepeat = 16 * 1024;
  static constexpr std::size_t kRepeats = 512 * 1024;
  static constexpr std::size_t kRepeatsPerMillisecond = 64;

  // `resets_cost`: not where the streams are ours, and the peer refuses what we ask.
  explicit Http2Budget(bool resets_cost) : resets_cost_(resets_cost) {}

  void advance(SteadyTime now) {
    if (last_ != SteadyTime{}) {
      const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - last_);
      // Kept in thousandths; a step too short to count is not lost.
      if (passed.count() <= 0) return;
      add(std::min<std::int64_t>(passed.count(), kCapacity * kUnit) * kPerSecond);
      const auto enough = static_cast<std::int64_t>(kRepeats / kRepeatsPerMillisecond);
      const auto milliseconds = static_cast<std::size_t>(std::min<std::int64_t>(passed.count(), enough));
      repeats_ = std::min(repeats_ + milliseconds * kRepeatsPerMillisecond, kRepeats);
    }
    last_ = now;
  }

  // The peer sent a frame.
  void on_received(const Http2FrameHead& head, Http2Counts& counts) {
    switch (head.type) {
      case Http2FrameType::kHeaders:
      case Http2FrameType::kContinuation:  // libnghttp2 bounds them
        return;
      case Http2FrameType::kData:
        if (head.length == 0 && !head.end_stream()) on_empty_data(counts);
        return;
      case Http2FrameType::kRstStream:
        ++counts.resets;
        if (resets_cost_) spend();
        return;
      case Http2FrameType::kWindowUpdate:
        if (--window_updates_ >= 0) return;
        window_updates_ = 0;
        ++counts.window_updates;
        return spend();
      case Http2FrameType::kPing:
        if (--pings_ >= 0) return;
        pings_ = 0;
        break;
      case Http2FrameType::kPriority:
      case Http2FrameType::kSettings:
      case Http2FrameType::kPushPromise:
      case Http2FrameType::kGoaway:
        break;
    }
    ++counts.idle_frames;
    spend();
  }
  // DATA that moved nothing.
  void on_empty_data(Http2Counts& counts) {
    ++counts.idle_frames;
    spend();
  }
  void on_data_sent() {
    window_updates_ += kWindowUpdatesPerData;
    pings_ = std::min(pings_ + kPingsPerData, kMaxPings);
  }
  // HEADERS or DATA of a stream that is over, which libnghttp2 drops without a word.
  void on_stray(Http2Counts& counts) {
    if (--strays_ >= 0) return;
    strays_ = 0;
    ++counts.idle_frames;
    spend();
  }
  // We reset a stream before its message had ended: its rest may be under way, a window of it at most.
  void on_cut() { strays_ += kStraysPerCut; }
  // We had to reset a stream because of what the peer sent on it.
  void on_malformed(Http2Counts& counts) {
    ++counts.malformed;
    spend();
  }
  // A field section of `decoded` octets came in `wire` octets. false: more than may be repeated for now.
  [[nodiscard]] bool afford_repeats(std::size_t decoded, std::size_t wire, Http2Counts& counts) {
    if (decoded <= wire + kFreeRepeat) return true;
    ++counts.repeats;
    const std::size_t repeated = decoded - wire - kFreeRepeat;
    if (repeated > repeats_) return false;
    repeats_ -= repeated;
    return true;
  }
  // We refused a stream that may come again; the next one may be refused as well.
  void on_refused() { spend(); }
  void on_stream_end() { add(kUnit); }

  [[nodiscard]] bool used_up() const { return tokens_ <= 0; }

 private:
  static constexpr std::int64_t kUnit = 1000;

  void spend() { tokens_ -= kUnit; }
  void add(std::int64_t thousandths) { tokens_ = std::min(tokens_ + thousandths, kCapacity * kUnit); }

  bool resets_cost_;
  std::int64_t tokens_ = kCapacity * kUnit;
  std::int64_t window_updates_ = kFreeWindowUpdates;
  std::int64_t pings_ = 0;
  std::int64_t strays_ = 0;
  std::size_t repeats_ = kRepeats;
  SteadyTime last_{};
};

}  // namespace holdfast::wire
