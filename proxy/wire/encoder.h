// HTTP/1 messages to bytes (RFC 9112). Heads are appended to a buffer that the caller owns and writes out.
// Framing and connection fields are always made here from what the head says and never copied from its
// fields, so no message can carry two lengths. A name or value that holds CR, LF, NUL or another control byte
// is refused, whoever set it: the last line of defence against response splitting.
//
// A message is: head(), data()*, end(). false means that nothing was appended and the message must not be
// sent on: the caller closes the connection (after the head) or answers with its own error (before it).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/message.h"

namespace holdfast::wire {

// The body of one message: by length, by chunks, or until the connection closes.
class BodyEncoder {
 public:
  enum class Framing : std::uint8_t { kNone, kLength, kChunked, kUntilClose };

  [[nodiscard]] Framing framing() const { return framing_; }
  // Body bytes with their framing. For kLength and kUntilClose the framing is empty: a caller that would
  // rather write `bytes` from where they are calls sent() instead.
  [[nodiscard]] bool data(std::span<const char> bytes, std::string& out);
  [[nodiscard]] bool sent(std::size_t bytes);
  // Trailers go out in a chunked body only and are dropped elsewhere; of them, fields of framing, routing and
  // credentials are dropped always (RFC 9110 6.5.1). false: the body is shorter than its length said.
  [[nodiscard]] bool end(const http::Fields& trailers, std::string& out);
  [[nodiscard]] bool end(std::string& out);
  // The message is complete, or has no body.
  [[nodiscard]] bool ended() const { return ended_; }

 protected:
  Framing framing_ = Framing::kNone;
  bool ended_ = false;
  std::uint64_t left_ = 0;
};

class RequestEncoder : public BodyEncoder {
 public:
  // A WebSocket handshake asks for its upgrade. Drops Expect (answered here, not passed on), Connection and
  // everything of the connection. The request-target is `head.target`, Host comes from the fields, or from
  // `head.authority` where they have none. Pieces of Cookie that came over HTTP/2 become one. Where the
  // content is such as framing.h says it asks for the connection's end; close() then says so.
  [[nodiscard]] bool head(const http::RequestHead& head, std::string& out);
  [[nodiscard]] bool close() const { return close_; }

 private:
  bool close_ = false;
};

class ResponseEncoder : public BodyEncoder {
 public:
  struct To {
    bool head_request = false;       // the answer has no body
    std::uint8_t version_minor = 1;  // of the request: 1.0 gets no chunks
    bool keep_alive = true;          // what the connection's owner decided
  };
  // Writes `Connection: close` where keep_alive is false, where head.close is set, and where only the
  // connection's end can end the body; close() then says so. Content-Length is kept from the fields for
  // answers to HEAD and for 304 only.
  [[nodiscard]] bool head(const http::ResponseHead& head, const To& to, std::string& out);
  // 101 to WebSocket: what follows is the tunnel's, until the connection closes.
  [[nodiscard]] bool switching(const http::ResponseHead& head, std::string& out);
  // 1xx: no framing, nothing of the connection.
  [[nodiscard]] static bool interim(const http::ResponseHead& head, std::string& out);
  [[nodiscard]] bool close() const { return close_; }

 private:
  bool close_ = false;
};

}  // namespace holdfast::wire
