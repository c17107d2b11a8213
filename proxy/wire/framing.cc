#include "wire/framing.h"

#include <limits>
#include <optional>

#include "base/ascii.h"
#include "wire/field_syntax.h"

namespace holdfast::wire {
namespace {

// Below 2^63, so no reader's signed integer overflows.
constexpr std::uint64_t kMaxLength = std::numeric_limits<std::int64_t>::max();
constexpr std::size_t kMaxLengthDigits = 19;  // the number cannot pass 2^64 before it is compared

std::optional<std::uint64_t> read_length(std::string_view text) {
  if (text.empty() || text.size() > kMaxLengthDigits) return std::nullopt;
  std::uint64_t length = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (length > kMaxLength) return std::nullopt;
  return length;
}

}  // namespace

std::string_view describe(FramingFault fault) {
  switch (fault) {
    case FramingFault::kLength:
      return "Content-Length is not one decimal number";
    case FramingFault::kCoding:
      return "Transfer-Encoding is not chunked, once and alone";
    case FramingFault::kUnknownCoding:
      return "a transfer coding that is not known here";
    case FramingFault::kBoth:
      return "both Content-Length and Transfer-Encoding";
    case FramingFault::kOldVersion:
      return "Transfer-Encoding in HTTP/1.0";
  }
  return {};
}

void FramingFields::content_length(std::string_view value) {
  ++lengths_;
  length_ = value;
}

void FramingFields::transfer_encoding(std::string_view value) {
  ++codings_;
  coding_ = value;
}

std::expected<http::BodyLength, FramingFault> FramingFields::decide(unsigned version_minor) const {
  using Kind = http::BodyLength::Kind;
  if (codings_ != 0) {
    if (lengths_ != 0) return std::unexpected(FramingFault::kBoth);
    if (version_minor == 0) return std::unexpected(FramingFault::kOldVersion);
    if (codings_ > 1) return std::unexpected(FramingFault::kCoding);
    if (iequals(coding_, "chunked")) return http::BodyLength{Kind::kUnknown, 0};
    return std::unexpected(is_token(coding_) ? FramingFault::kUnknownCoding : FramingFault::kCoding);
  }
  if (lengths_ == 0) return http::BodyLength{};
  if (lengths_ > 1) return std::unexpected(FramingFault::kLength);
  const std::optional<std::uint64_t> length = read_length(length_);
  if (!length) return std::unexpected(FramingFault::kLength);
  return http::BodyLength{Kind::kKnown, *length};
}

bool has_unexpected_content(const http::RequestHead& head) {
  using Kind = http::BodyLength::Kind;
  if (head.body.kind == Kind::kNone || (head.body.kind == Kind::kKnown && head.body.bytes == 0)) return false;
  return head.method == "GET" || head.method == "HEAD" || head.method == "DELETE";
}

}  // namespace holdfast::wire
