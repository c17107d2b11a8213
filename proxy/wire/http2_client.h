// The client's side of one HTTP/2 connection to a backend (RFC 9113): requests in, bytes out; bytes in,
// answers out. A backend is not trusted: an answer that breaks the rules breaks its stream, floods break the
// connection, and what was not processed is told apart, because that much may be tried again. Nothing is
// pushed to us.
//
// Events come from inside receive(), deliver(), take_output() and lose_connection() only, and none of these
// may be called from inside an event, nor may the codec end there; everything else may. Calls for a stream
// that is over do nothing. One worker's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/time.h"
#include "http/message.h"
#include "wire/http2.h"

namespace holdfast::wire {

enum class Http2Failure : std::uint8_t {
  kNotProcessed,  // REFUSED_STREAM, or above a GOAWAY's last stream (RFC 9113 8.7): safe to send again
  kReset,         // the backend reset it, or the connection broke
  kCancelled,     // the backend reset it with CANCEL
  kExhausted,     // the backend reset it with ENHANCE_YOUR_CALM
  kMalformed,     // we reset it: the answer breaks the rules
};

class Http2ClientOwner {
 public:
  virtual void on_response_interim(StreamId stream, http::ResponseHead head) = 0;
  // body is kNone where the head ended the answer; on_response_end() follows all the same.
  virtual void on_response_head(StreamId stream, http::ResponseHead head) = 0;
  // Never more than was granted.
  virtual void on_response_data(StreamId stream, std::span<const char> bytes) = 0;
  virtual void on_response_trailers(StreamId stream, http::Fields trailers) = 0;
  // The answer is complete. The request may not be: the owner goes on, or resets the stream.
  virtual void on_response_end(StreamId stream) = 0;
  // So many bytes of the request's body have left its buffer; and all of the request, END_STREAM included.
  virtual void on_request_sent(StreamId stream, std::size_t bytes) = 0;
  virtual void on_request_done(StreamId stream) = 0;
  // The stream is over before its answer had ended. Not after reset().
  virtual void on_stream_reset(StreamId stream, Http2Failure failure) = 0;
  // The stream is over and on_response_end() came. Not after reset().
  virtual void on_stream_end(StreamId stream) = 0;

 protected:
  ~Http2ClientOwner() = default;
};

class Http2Client {
 public:
  // `tls`: what :scheme says. `limits.max_streams`: of ours at once, at most; the backend may allow fewer.
  Http2Client(const Http2Limits& limits, bool tls, Http2ClientOwner& owner);
  ~Http2Client();
  Http2Client(const Http2Client&) = delete;
  Http2Client& operator=(const Http2Client&) = delete;

  // ---- out

  // One more request may be sent now, and so many before it. False for good after a GOAWAY of either side:
  // see is_closing(); and until a ping() is answered.
  [[nodiscard]] bool may_open(std::size_t before = 0) const;
  // Bytes of heads that wait to be written. They are copies, and heads of few bytes on a client's wire may be
  // large (HPACK): who has more to send had better hold it back.
  [[nodiscard]] std::size_t unsent_heads() const;
  [[nodiscard]] bool is_closing() const;
  // Opens a stream; 0: a field may not be sent, and nothing was. Fields of the connection and Expect are
  // dropped, Host becomes :authority, Content-Length is made from `head.body`; with kNone the request ends
  // here. Asks for trailers where the client did. A head with a protocol is an extended CONNECT, see below.
  [[nodiscard]] StreamId send_head(const http::RequestHead& head);
  // The backend takes extended CONNECT (RFC 8441 3). Known once its SETTINGS came: established().
  [[nodiscard]] bool takes_extended_connect() const;
  // Copied; more or less than the head announced resets the stream, without an event.
  void send_data(StreamId stream, std::span<const char> bytes);
  void send_trailers(StreamId stream, const http::Fields& trailers);
  void send_end(StreamId stream);
  // The stream is over; no event of it follows.
  void reset(StreamId stream, Http2Error error);
  // Appends what is to be sent, frame by frame, until `out` holds `limit` bytes or a frame more.
  void take_output(std::string& out, std::size_t limit);
  [[nodiscard]] bool wants_output() const;

  // ---- in

  // Takes all of `bytes`.
  void receive(std::span<const char> bytes, SteadyTime now);
  // `bytes` more of the answer's body may be sent by the backend, and are handed out as they come. A stream
  // has no credit at first; what comes without, from a backend that did not read our SETTINGS yet, waits for
  // it.
  void grant_response(StreamId stream, std::size_t bytes);
  [[nodiscard]] bool wants_deliver() const;
  void deliver();

  // ---- the connection

  // Asks whether the backend is still there, unless it is being asked already.
  void ping();
  [[nodiscard]] bool awaits_ping() const;
  // Says GOAWAY; streams are over, without events, also those that hold something.
  void terminate(Http2Error error);
  // Nothing will be received or sent any more. Streams whose answer had not come whole are told of as reset;
  // the others are handed out further.
  void lose_connection();
  // Nothing more will be read or is to be sent: the connection is to be closed.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] std::size_t open_streams() const;
  [[nodiscard]] bool established() const;
  [[nodiscard]] const Http2Counts& counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::wire
