#include "wire/request_decoder.h"

#include <algorithm>
#include <string_view>

#include "base/buffer.h"
#include "wire/field_syntax.h"
#include "wire/request_head.h"

namespace holdfast::wire {
namespace {

constexpr std::uint16_t kBadRequest = 400;
constexpr std::uint16_t kContentTooLarge = 413;
constexpr std::uint16_t kUriTooLong = 414;
constexpr std::uint16_t kHeadTooLarge = 431;
constexpr std::size_t kMethodRoom = 32;  // of a method that is worth naming in the log

Fault body_too_large() {
  return {{Reason::request_too_large, "the body is longer than this listener takes"}, kContentTooLarge};
}

Fault head_too_large(bool in_request_line) {
  if (in_request_line) return {{Reason::headers_too_large, "the request-target is too long"}, kUriTooLong};
  return {{Reason::headers_too_large, "the head is longer than this listener takes"}, kHeadTooLarge};
}

}  // namespace

RequestDecoder::RequestDecoder(Limits limits) : limits_(limits) {}

void RequestDecoder::next() {
  state_ = State::kHead;
  wants_close_ = began_ = blank_line_seen_ = false;
  left_ = body_bytes_ = 0;
  scanner_.reset();
  partial_.clear();
  head_ = {};
  trailers_ = {};
}

bool RequestDecoder::in_message() const {
  return began_ && state_ != State::kDone;
}

Step RequestDecoder::feed(std::span<const char> bytes) {
  switch (state_) {
    case State::kHead:
      return feed_head(bytes);
    case State::kKnown:
      return feed_known(bytes);
    case State::kChunked:
      return feed_chunked(bytes);
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

Step RequestDecoder::fail(Fault fault, std::size_t consumed) {
  state_ = State::kFault;
  fault_ = std::move(fault);
  wants_close_ = true;
  return {Event::kFault, consumed};
}

Step RequestDecoder::fail_head(Fault fault, std::size_t consumed, std::string_view head) {
  if (partial_.empty()) partial_.assign(head.substr(0, kMethodRoom + 1));
  return fail(std::move(fault), consumed);
}

// An answer to HEAD has no body (RFC 9110 9.3.2), whatever else was wrong with the request.
http::RequestHead RequestDecoder::take_broken_head() {
  const std::size_t end = partial_.find(' ');
  if (head_.method.empty() && end <= kMethodRoom && is_token(std::string_view(partial_).substr(0, end))) {
    head_.method = head_.fields.arena().store(std::string_view(partial_).substr(0, end));
  }
  return take_head();
}

Step RequestDecoder::feed_head(std::span<const char> bytes) {
  if (bytes.empty()) return {};
  std::string_view head(bytes.data(), bytes.size());
  const std::size_t before = partial_.size();
  if (before != 0) {
    partial_.append(head.substr(0, limits_.max_head_bytes + 1 - std::min(before, limits_.max_head_bytes)));
    head = partial_;
  }
  const HeadScanner::Verdict verdict = scanner_.scan(head);
  if (verdict == HeadScanner::Verdict::kComplete) {
    const std::size_t size = scanner_.size();
    const std::size_t consumed = size - before;
    if (scanner_.lines() == 0) {  // RFC 9112 2.2: one empty line before a request is forgiven
      if (blank_line_seen_)
        return fail({{Reason::request_malformed, "empty lines before a request"}, kBadRequest}, 0);
      blank_line_seen_ = true;
      scanner_.reset();
      partial_.clear();
      Step step = feed_head(bytes.subspan(consumed));
      step.consumed += consumed;
      return step;
    }
    began_ = true;
    if (size > limits_.max_head_bytes)
      return fail_head(head_too_large(request_line_too_long()), consumed, head);
    return finish_head(head.substr(0, size), consumed);
  }
  began_ = true;
  if (verdict != HeadScanner::Verdict::kMore) {
    return fail_head({{Reason::request_malformed, std::string(describe(verdict))}, kBadRequest}, 0, head);
  }
  if (head.size() > limits_.max_head_bytes) {
    return fail_head(head_too_large(request_line_too_long()), 0, head);
  }
  if (before == 0) partial_.assign(head);
  return {Event::kNeedMore, bytes.size()};
}

bool RequestDecoder::request_line_too_long() const {
  return scanner_.first_line() == 0 || scanner_.first_line() > limits_.max_head_bytes;
}

Step RequestDecoder::finish_head(std::span<const char> head, std::size_t consumed) {
  head_ = {};
  const std::string_view kept = head_.fields.arena().store({head.data(), head.size()});
  head_.fields.reserve(scanner_.lines() + 8);  // and what the flow will add
  release_memory(partial_);
  Fault fault;
  if (!parse_request_head(kept, limits_.max_fields, head_, wants_close_, fault)) {
    return fail(std::move(fault), consumed);
  }
  using Kind = http::BodyLength::Kind;
  if (head_.body.kind == Kind::kUnknown) {
    state_ = State::kChunked;
    chunked_.reset(limits_);
  } else if (head_.body.kind == Kind::kKnown && head_.body.bytes != 0) {
    if (head_.body.bytes > limits_.max_body_bytes) return fail(body_too_large(), consumed);
    state_ = State::kKnown;
    left_ = head_.body.bytes;
  } else {
    state_ = State::kEnd;
  }
  return {Event::kHead, consumed};
}

Step RequestDecoder::feed_known(std::span<const char> bytes) {
  if (bytes.empty()) return {};
  const std::size_t size = left_ < bytes.size() ? static_cast<std::size_t>(left_) : bytes.size();
  left_ -= size;
  body_bytes_ += size;
  if (body_bytes_ > limits_.max_body_bytes) return fail(body_too_large(), size);
  if (left_ == 0) state_ = State::kEnd;
  return {Event::kData, size, bytes.first(size)};
}

Step RequestDecoder::feed_chunked(std::span<const char> bytes) {
  const Step step = chunked_.feed(bytes);
  switch (step.event) {
    case Event::kData:
      body_bytes_ += step.data.size();
      if (body_bytes_ > limits_.max_body_bytes) return fail(body_too_large(), step.consumed);
      break;
    case Event::kEnd:
      trailers_ = chunked_.take_trailers();
      state_ = State::kDone;
      break;
    case Event::kFault:
      if (chunked_.trailers_too_large()) {
        return fail({{Reason::headers_too_large, std::string(chunked_.fault())}, kHeadTooLarge},
                    step.consumed);
      }
      return fail({{Reason::request_malformed, std::string(chunked_.fault())}, kBadRequest}, step.consumed);
    default:
      break;
  }
  return step;
}

}  // namespace holdfast::wire
