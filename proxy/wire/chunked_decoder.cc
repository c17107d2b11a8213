#include "wire/chunked_decoder.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/buffer.h"
#include "wire/field_syntax.h"

namespace holdfast::wire {
namespace {

constexpr std::size_t kMaxSizeLine = 4096;
constexpr std::size_t kMaxSizeDigits = 16;
constexpr std::uint64_t kFramingAllowance = 64 * 1024;
constexpr std::uint64_t kFramingPerChunk =
    16;  // what honest framing of one chunk may cost without extensions
constexpr std::uint64_t kMaxChunk = std::uint64_t{1} << 62;

// *( ";" token [ "=" ( token / quoted-string ) ] )
bool are_extensions(std::string_view text) {
  const auto take_token = [&text] {
    std::size_t size = 0;
    while (size < text.size() && is_token_char(text[size])) ++size;
    text.remove_prefix(size);
    return size != 0;
  };
  const auto take_quoted = [&text] {
    for (std::size_t i = 1; i < text.size(); ++i) {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        text.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  };
  while (!text.empty()) {
    if (text.front() != ';') return false;
    text.remove_prefix(1);
    if (!take_token()) return false;
    if (!text.starts_with('=')) continue;
    text.remove_prefix(1);
    if (!(text.starts_with('"') ? take_quoted() : take_token())) return false;
  }
  return true;
}

}  // namespace

void ChunkedDecoder::reset(const Limits& limits) {
  state_ = State::kSizeLine;
  trailers_too_large_ = false;
  left_ = 0;
  allowance_ = kFramingAllowance;
  max_trailer_bytes_ = limits.max_head_bytes;
  max_fields_ = limits.max_fields;
  scanner_.reset();
  partial_.clear();
  trailers_ = {};
  fault_ = {};
}

Step ChunkedDecoder::fail(std::string_view why, std::size_t consumed) {
  state_ = State::kFault;
  if (fault_.empty()) fault_ = why;
  return {Event::kFault, consumed};
}

Step ChunkedDecoder::feed(std::span<const char> bytes) {
  std::string_view rest(bytes.data(), bytes.size());
  const auto consumed = [&] { return bytes.size() - rest.size(); };
  for (;;) {
    bool more = false;
    switch (state_) {
      case State::kSizeLine:
        more = take_size_line(rest);
        break;
      case State::kData: {
        if (rest.empty()) return {Event::kNeedMore, consumed()};
        const std::size_t size = left_ < rest.size() ? static_cast<std::size_t>(left_) : rest.size();
        const std::span<const char> data(rest.data(), size);
        rest.remove_prefix(size);
        left_ -= size;
        allowance_ +=
            std::min<std::uint64_t>(size, kFramingAllowance - std::min(allowance_, kFramingAllowance));
        if (left_ == 0) state_ = State::kDataEnd;
        return {Event::kData, consumed(), data};
      }
      case State::kDataEnd:
        more = take_data_end(rest);
        break;
      case State::kTrailers:
        more = take_trailers(rest);
        break;
      case State::kDone:
        return {Event::kEnd, consumed()};
      case State::kFault:
        return fail({}, consumed());
    }
    if (!more) return {Event::kNeedMore, consumed()};
  }
}

bool ChunkedDecoder::take_size_line(std::string_view& rest) {
  const std::size_t lf = rest.find('\n');
  const std::size_t size = lf == std::string_view::npos ? rest.size() : lf + 1;
  if (partial_.size() + size > kMaxSizeLine) {
    fail("a chunk's size line is too long", 0);
    return true;
  }
  std::string_view line = rest.substr(0, size);
  if (lf == std::string_view::npos || !partial_.empty()) {
    partial_.append(line);
    line = partial_;
  }
  // Whatever a valid line may still become, it begins with a digit: rubbish is refused without waiting for
  // its end.
  if (!line.empty() && hex_value(line.front()) < 0) fail("a chunk's size is not a hexadecimal number", 0);
  rest.remove_prefix(size);
  if (state_ == State::kFault) return true;
  if (lf == std::string_view::npos) return false;
  if (!read_size_line(line)) {
    fail("a chunk's size line is malformed", 0);
    return true;
  }
  const std::uint64_t cost = line.size() > kFramingPerChunk ? line.size() - kFramingPerChunk : 0;
  if (cost > allowance_) {
    fail("chunk extensions outgrow the body", 0);
    return true;
  }
  allowance_ -= cost;
  partial_.clear();
  state_ = left_ == 0 ? State::kTrailers : State::kData;
  return true;
}

bool ChunkedDecoder::read_size_line(std::string_view line) {
  if (!line.ends_with("\r\n")) return false;
  line.remove_suffix(2);
  if (has_control(line)) return false;
  std::size_t digits = 0;
  left_ = 0;
  while (digits < line.size() && hex_value(line[digits]) >= 0) {
    if (digits == kMaxSizeDigits) return false;
    left_ = left_ * 16 + static_cast<std::uint64_t>(hex_value(line[digits]));
    ++digits;
  }
  return digits != 0 && left_ < kMaxChunk && are_extensions(line.substr(digits));
}

bool ChunkedDecoder::take_data_end(std::string_view& rest) {
  constexpr std::string_view kCrlf = "\r\n";
  while (!rest.empty() && partial_.size() < kCrlf.size()) {
    if (rest.front() != kCrlf[partial_.size()]) {
      fail("a chunk's data is longer than its size", 0);
      return true;
    }
    partial_.push_back(rest.front());
    rest.remove_prefix(1);
  }
  if (partial_.size() < kCrlf.size()) return false;
  partial_.clear();
  state_ = State::kSizeLine;
  return true;
}

bool ChunkedDecoder::take_trailers(std::string_view& rest) {
  const std::size_t before = partial_.size();
  partial_.append(rest.substr(0, max_trailer_bytes_ + 1 - std::min(before, max_trailer_bytes_)));
  const HeadScanner::Verdict verdict = scanner_.scan(partial_);
  const bool complete = verdict == HeadScanner::Verdict::kComplete;
  if (!complete && verdict != HeadScanner::Verdict::kMore) {
    fail(describe(verdict), 0);
    return true;
  }
  if ((complete ? scanner_.size() : partial_.size()) > max_trailer_bytes_ || scanner_.lines() > max_fields_) {
    trailers_too_large_ = true;
    fail("the trailers are longer than allowed", 0);
    return true;
  }
  if (!complete) {
    rest = {};
    return false;
  }
  rest.remove_prefix(scanner_.size() - before);
  if (scanner_.lines() != 0) {
    const std::string_view lines = trailers_.arena().store({partial_.data(), scanner_.size() - 2});
    if (!read_field_lines(lines, trailers_)) {
      fail("a trailer is not a field", 0);
      return true;
    }
    for (const http::Field& field : trailers_) {
      if (frames_or_routes(field.name)) fail("a trailer that frames or routes", 0);
    }
    if (state_ == State::kFault) return true;
  }
  release_memory(partial_);
  state_ = State::kDone;
  return true;
}

}  // namespace holdfast::wire
