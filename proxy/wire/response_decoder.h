// HTTP/1 responses from a backend's bytes (RFC 9112 4, 6, 7), as strict as for clients: a backend is not
// trusted either, and a message that could be read in two ways becomes a 502, never a desync. Bodies end by
// length, by chunks, or with the connection.
//
//   begin(method) for each request sent; then feed() as with RequestDecoder; at the connection's end finish()
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "http/message.h"
#include "wire/chunked_decoder.h"
#include "wire/head_scanner.h"
#include "wire/http1.h"

namespace holdfast::wire {

class ResponseDecoder {
 public:
  explicit ResponseDecoder(Limits limits = {});

  // The next bytes answer a request of this method (HEAD has no body whatever its head says). 101 is a fault
  // unless the request asked for it; then it is a head, and everything after it data until the connection
  // ends.
  void begin(std::string_view method, bool asks_upgrade = false);
  [[nodiscard]] Step feed(std::span<const char> bytes);
  // The connection ended cleanly: kEnd for a body that ends so, else kFault.
  [[nodiscard]] Step finish();

  // After kInterim or kHead. kHead's `close`: this is the connection's last message.
  [[nodiscard]] http::ResponseHead take_head() { return std::move(head_); }
  [[nodiscard]] http::Fields take_trailers() { return std::move(trailers_); }
  // Why it was not taken: a sentence for the log, without the backend's bytes.
  [[nodiscard]] std::string_view fault() const { return fault_; }
  // A byte of an answer, interim ones included, was seen since begin().
  [[nodiscard]] bool began() const { return began_; }

 private:
  enum class State : std::uint8_t { kHead, kKnown, kChunked, kUntilClose, kEnd, kDone, kFault };

  Step feed_head(std::span<const char> bytes);
  Step feed_chunked(std::span<const char> bytes);
  Step finish_head(std::span<const char> head, std::size_t consumed);
  Step fail(std::string_view why, std::size_t consumed);

  Limits limits_;
  State state_ = State::kHead;
  bool head_request_ = false;
  bool upgrade_asked_ = false;
  bool began_ = false;
  unsigned interims_ = 0;
  std::uint64_t left_ = 0;
  HeadScanner scanner_;
  ChunkedDecoder chunked_;
  std::string partial_;
  http::ResponseHead head_;
  http::Fields trailers_;
  std::string fault_;
};

}  // namespace holdfast::wire
