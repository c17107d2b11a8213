// HTTP/1 requests from bytes (RFC 9112 2-7). Refused: everything malformed and everything ambiguous; see
// request_head.cc for the list. Head bytes are copied once, into the head's own arena. A head that arrives in
// pieces is gathered here, so the caller may read into a buffer that it shares between connections.
//
//   loop: step = decoder.feed(rest); rest = rest.subspan(step.consumed)
//     kHead     take_head(); a caller that may not read the body yet simply stops feeding
//     kData     step.data
//     kEnd      take_trailers(); then next(), and the rest is the next request's
//     kNeedMore read more
//     kFault    fault(); take_head() has what could be read (at best method, target, authority), for the log
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "http/message.h"
#include "wire/chunked_decoder.h"
#include "wire/head_scanner.h"
#include "wire/http1.h"

namespace holdfast::wire {

class RequestDecoder {
 public:
  explicit RequestDecoder(Limits limits = {});

  [[nodiscard]] Step feed(std::span<const char> bytes);

  // CONNECT: `target` is empty and `authority` holds the target. Framing fields stay among the fields;
  // `expect_continue` is set for HTTP/1.1 only.
  [[nodiscard]] http::RequestHead take_head() { return std::move(head_); }
  // In place of a head that was refused before it was read, or never ended: its method, if it is there.
  [[nodiscard]] http::RequestHead take_broken_head();
  [[nodiscard]] http::Fields take_trailers() { return std::move(trailers_); }
  [[nodiscard]] const Fault& fault() const { return fault_; }

  // After kEnd: gets ready for the next request of the connection.
  void next();
  // A message has begun and not ended: at the connection's end it is truncated.
  [[nodiscard]] bool in_message() const;
  // The client asked, by Connection or by its version, that nothing follow this request. Known from kHead on.
  [[nodiscard]] bool wants_close() const { return wants_close_; }

 private:
  enum class State : std::uint8_t { kHead, kKnown, kChunked, kEnd, kDone, kFault };

  Step feed_head(std::span<const char> bytes);
  Step feed_known(std::span<const char> bytes);
  Step feed_chunked(std::span<const char> bytes);
  [[nodiscard]] bool request_line_too_long() const;
  Step finish_head(std::span<const char> head, std::size_t consumed);
  Step fail(Fault fault, std::size_t consumed);
  Step fail_head(Fault fault, std::size_t consumed, std::string_view head);

  Limits limits_;
  State state_ = State::kHead;
  bool wants_close_ = false;
  bool began_ = false;  // a byte of this message was seen
  bool blank_line_seen_ = false;
  std::uint64_t left_ = 0;  // of a known body
  std::uint64_t body_bytes_ = 0;
  HeadScanner scanner_;
  ChunkedDecoder chunked_;
  std::string partial_;  // of a head that came in pieces
  http::RequestHead head_;
  http::Fields trailers_;
  Fault fault_;
};

}  // namespace holdfast::wire
