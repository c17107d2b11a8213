#include "wire/response_decoder.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/buffer.h"
#include "wire/response_head.h"

namespace holdfast::wire {
namespace {

constexpr unsigned kMaxInterims = 32;  // a backend that never gets to its answer
constexpr std::uint16_t kSwitchingProtocols = 101;

}  // namespace

ResponseDecoder::ResponseDecoder(Limits limits) : limits_(limits) {}

void ResponseDecoder::begin(std::string_view method, bool asks_upgrade) {
  upgrade_asked_ = asks_upgrade;
  state_ = State::kHead;
  head_request_ = method == "HEAD";
  began_ = false;
  interims_ = 0;
  left_ = 0;
  scanner_.reset();
  partial_.clear();
  head_ = {};
  trailers_ = {};
  fault_.clear();
}

Step ResponseDecoder::fail(std::string_view why, std::size_t consumed) {
  state_ = State::kFault;
  fault_ = why;
  return {Event::kFault, consumed};
}

Step ResponseDecoder::feed(std::span<const char> bytes) {
  switch (state_) {
    case State::kHead:
      return feed_head(bytes);
    case State::kKnown: {
      if (bytes.empty()) return {};
      const std::size_t size = left_ < bytes.size() ? static_cast<std::size_t>(left_) : bytes.size();
      left_ -= size;
      if (left_ == 0) state_ = State::kEnd;
      return {Event::kData, size, bytes.first(size)};
    }
    case State::kChunked:
      return feed_chunked(bytes);
    case State::kUntilClose:
      if (bytes.empty()) return {};
      return {Event::kData, bytes.size(), bytes};
    case State::kEnd:
      state_ = State::kDone;
      return {Event::kEnd};
    case State::kDone:
      return {Event::kEnd};
    case State::kFault:
      break;
  }
  return {Event::kFault};
}

Step ResponseDecoder::finish() {
  if (state_ == State::kUntilClose || state_ == State::kEnd || state_ == State::kDone) {
    state_ = State::kDone;
    return {Event::kEnd};
  }
  return fail(began_ ? "the answer was cut short" : "the connection ended without an answer", 0);
}

Step ResponseDecoder::feed_head(std::span<const char> bytes) {
  if (bytes.empty()) return {};
  began_ = true;
  std::string_view head(bytes.data(), bytes.size());
  const std::size_t before = partial_.size();
  if (before != 0) {
    partial_.append(head.substr(0, limits_.max_head_bytes + 1 - std::min(before, limits_.max_head_bytes)));
    head = partial_;
  }
  const HeadScanner::Verdict verdict = scanner_.scan(head);
  if (verdict == HeadScanner::Verdict::kComplete) {
    if (scanner_.size() > limits_.max_head_bytes) return fail("the head is too large", 0);
    return finish_head(head.substr(0, scanner_.size()), scanner_.size() - before);
  }
  if (verdict != HeadScanner::Verdict::kMore) return fail(describe(verdict), 0);
  if (head.size() > limits_.max_head_bytes) return fail("the head is too large", 0);
  if (before == 0) partial_.assign(head);
  return {Event::kNeedMore, bytes.size()};
}

Step ResponseDecoder::finish_head(std::span<const char> head, std::size_t consumed) {
  head_ = {};
  const std::string_view kept = head_.fields.arena().store({head.data(), head.size()});
  head_.fields.reserve(scanner_.lines() + 8);  // and what the flow will add
  scanner_.reset();
  release_memory(partial_);
  const std::string_view why = parse_response_head(kept, limits_.max_fields, head_request_, head_);
  if (!why.empty()) return fail(why, consumed);
  if (head_.status == kSwitchingProtocols) {
    if (!upgrade_asked_) return fail("a 101 that was not asked for", consumed);
    head_.body = {http::BodyLength::Kind::kUnknown, 0};
    state_ = State::kUntilClose;
    return {Event::kHead, consumed};
  }
  if (head_.status < 200) {
    if (++interims_ > kMaxInterims) return fail("too many interim answers", consumed);
    return {Event::kInterim, consumed};
  }
  using Kind = http::BodyLength::Kind;
  if (head_.body.kind == Kind::kKnown && head_.body.bytes != 0) {
    state_ = State::kKnown;
    left_ = head_.body.bytes;
  } else if (head_.body.kind != Kind::kUnknown) {
    state_ = State::kEnd;
  } else if (head_.fields.contains("transfer-encoding")) {
    state_ = State::kChunked;
    chunked_.reset(limits_);
  } else {
    state_ = State::kUntilClose;
  }
  return {Event::kHead, consumed};
}

Step ResponseDecoder::feed_chunked(std::span<const char> bytes) {
  const Step step = chunked_.feed(bytes);
  if (step.event == Event::kEnd) {
    trailers_ = chunked_.take_trailers();
    state_ = State::kDone;
  } else if (step.event == Event::kFault) {
    return fail(chunked_.fault(), step.consumed);
  }
  return step;
}

}  // namespace holdfast::wire
