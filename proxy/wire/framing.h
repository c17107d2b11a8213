// How long a message's body is, from the Content-Length and Transfer-Encoding fields of its head (RFC 9112
// 6). Where two implementations could differ, as with two lengths, a list of lengths, a length beside a
// coding, or any coding but a single `chunked`, the answer is a fault and never a guess: a disagreement here
// is request smuggling. Pure; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>

#include "http/message.h"

namespace holdfast::wire {

enum class FramingFault : std::uint8_t {
  kLength,         // not 1*DIGIT, too large, or several
  kCoding,         // chunked is not the only, or not the last coding; or there are several fields
  kUnknownCoding,  // a single coding other than chunked
  kBoth,           // a length beside a coding
  kOldVersion,     // a coding in HTTP/1.0
};

[[nodiscard]] std::string_view describe(FramingFault fault);

// Gathered while a head is read, decided when it has ended.
class FramingFields {
 public:
  void content_length(std::string_view value);
  void transfer_encoding(std::string_view value);
  // kKnown, kUnknown for chunked, kNone where neither field stood.
  [[nodiscard]] std::expected<http::BodyLength, FramingFault> decide(unsigned version_minor) const;

 private:
  unsigned lengths_ = 0;
  unsigned codings_ = 0;
  std::string_view length_;
  std::string_view coding_;
};

// Content that its method gives no meaning to (RFC 9110 9.3.1, 9.3.2, 9.3.5). Some servers do not read it,
// and take what they did not read for the next request: such a request has to be the last of its connection.
[[nodiscard]] bool has_unexpected_content(const http::RequestHead& head);

}  // namespace holdfast::wire
