// The chunked coding (RFC 9112 7.1), strictly:
//
//   chunked-body = *( size-line data CRLF ) zero-size-line *( field-line CRLF ) CRLF
//   size-line    = 1*16HEXDIG *( ";" token [ "=" ( token / quoted-string ) ] ) CRLF
//
// No whitespace around sizes and extensions, no bare LF or CR: servers differ on where such a line ends.
// Extensions are dropped. Framing may not outgrow the data by more than an allowance, or a peer could keep us
// reading lines for ever. Bytes in, events out; lines that come in pieces are gathered here.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"
#include "wire/head_scanner.h"
#include "wire/http1.h"

namespace holdfast::wire {

class ChunkedDecoder {
 public:
  void reset(const Limits& limits);
  // kData, kEnd, kNeedMore or kFault.
  [[nodiscard]] Step feed(std::span<const char> bytes);
  [[nodiscard]] http::Fields take_trailers() { return std::move(trailers_); }
  [[nodiscard]] std::string_view fault() const { return fault_; }
  // The fault is that the trailers pass the limits.
  [[nodiscard]] bool trailers_too_large() const { return trailers_too_large_; }

 private:
  enum class State : std::uint8_t { kSizeLine, kData, kDataEnd, kTrailers, kDone, kFault };

  Step fail(std::string_view why, std::size_t consumed);
  bool read_size_line(std::string_view line);
  // Each takes bytes from `rest` and says whether there is more to do now; at the end of `rest` there is not.
  bool take_size_line(std::string_view& rest);
  bool take_data_end(std::string_view& rest);
  bool take_trailers(std::string_view& rest);

  State state_ = State::kSizeLine;
  bool trailers_too_large_ = false;
  std::uint64_t left_ = 0;       // of the chunk's data
  std::uint64_t allowance_ = 0;  // for framing bytes beyond the data's own
  std::size_t max_trailer_bytes_ = 0;
  std::size_t max_fields_ = 0;
  HeadScanner scanner_;
  std::string partial_;
  http::Fields trailers_;
  std::string_view fault_;
};

}  // namespace holdfast::wire
