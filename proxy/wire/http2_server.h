// The server's side of one HTTP/2 connection (RFC 9113): bytes in, requests out; answers in, bytes out.
// Malformed requests are refused as the HTTP/1 codec refuses them: what breaks HTTP/2's own rules (8.1-8.3)
// resets its stream, what only we do not take is told as a fault to be answered, 400, 413 or 431; in neither
// case is the connection touched. A peer that floods (resets, provoked resets, empty frames, pings, settings)
// uses up a budget and gets GOAWAY with ENHANCE_YOUR_CALM. See http2_request_head.cc and http2_budget.h.
//
// Events come from inside receive(), deliver() and take_output() only, and none of these may be called from
// inside an event, nor may the codec end there; everything else may. Calls for a stream that is over, or was
// never there, do nothing: an answer may come late. One worker's thread.
//
//   readable:   receive(bytes)                as long as what was taken from here has been written: a peer
//                                             that does not read gets no work done
//   any call:   deliver(), if a grant was made; take_output(), at the end of the loop's turn, when all that
//               was taken before is written
//   then:       finished() and nothing more to write: close
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/time.h"
#include "http/message.h"
#include "wire/http1.h"
#include "wire/http2.h"

namespace holdfast::wire {

class Http2ServerOwner {
 public:
  // A request. `head.version_major` is 2; Host is among the fields, Cookie is one field (RFC 9113 8.2.3);
  // body is kNone where the head ended the request (on_request_end() follows all the same), else kKnown
  // or kUnknown. CONNECT has an empty target; an extended one (RFC 8441) has target, scheme and
  // head.protocol, and its body is the tunnel.
  virtual void on_request_head(StreamId stream, http::RequestHead head) = 0;
  // A request that is refused before it began, in place of on_request_head(): `head` has what could be
  // read. The answer may be sent as any other, nothing else of the request will come. If the fault broke
  // HTTP/2's own rules its stream is reset already, and the answer goes nowhere: it is for the log.
  virtual void on_request_refused(StreamId stream, Fault fault, http::RequestHead head) = 0;
  // Never more than was granted.
  virtual void on_request_data(StreamId stream, std::span<const char> bytes) = 0;
  virtual void on_request_trailers(StreamId stream, http::Fields trailers) = 0;
  virtual void on_request_end(StreamId stream) = 0;
  // The request turned out wrong after its head: too large a body (413), a bad trailer section (400, 431).
  // Nothing more of it comes; it may still be answered.
  virtual void on_request_fault(StreamId stream, Fault fault) = 0;
  // So many bytes of the answer's body have left its buffer.
  virtual void on_response_sent(StreamId stream, std::size_t bytes) = 0;
  // The stream is over before both its messages had ended. `malformed`: the client broke the rules on it
  // (a length that lied, a frame in a wrong state); otherwise the client reset it, or the connection ends.
  // Comes for streams that on_request_head() or on_request_refused() told of, once, and not after reset().
  virtual void on_stream_reset(StreamId stream, bool malformed) = 0;
  // Both messages have ended, and all of the answer was taken. Not after on_stream_reset() or reset().
  virtual void on_stream_end(StreamId stream) = 0;

 protected:
  ~Http2ServerOwner() = default;
};

class Http2Server {
 public:
  Http2Server(const Http2Limits& limits, Http2ServerOwner& owner);
  ~Http2Server();
  Http2Server(const Http2Server&) = delete;
  Http2Server& operator=(const Http2Server&) = delete;

  // ---- in

  // Takes all of `bytes`, and tells of all that came. The first are the connection preface (RFC 9113 3.4).
  // After a fault of the connection it does nothing more: finished() will be true once take_output() took the
  // GOAWAY.
  void receive(std::span<const char> bytes, SteadyTime now);
  // The same for a peer that others are to be served beside. Takes no more than `allowance` allows, counted
  // in frames (kHttp2TurnAllowance), and lowers it by what it took. Returns how many of `bytes` were taken:
  // when not all were, the allowance is used up. Requests wait for begin_request(): what their client resets
  // before costs no more than its bytes, and the owner never hears of it.
  [[nodiscard]] std::size_t receive(std::span<const char> bytes, SteadyTime now, std::size_t& allowance);
  [[nodiscard]] bool wants_begin() const;
  // Tells of the first request that waits, and of what has come of it.
  void begin_request();
  // `bytes` more of the request's body may be handed out; those that are here already by deliver(). A stream
  // has no credit at first, and its client may send kHttp2StreamWindow ahead.
  void grant_request(StreamId stream, std::size_t bytes);
  [[nodiscard]] bool wants_deliver() const;
  void deliver();

  // ---- out

  // Both: false: a field may not be sent and nothing was; the caller answers with something else.
  // Connection fields are dropped. An interim head is 1xx but not 101.
  [[nodiscard]] bool send_interim(StreamId stream, const http::ResponseHead& head);
  // Content-Length is made from `head.body`, and kept from the fields for answers to HEAD and for 304 only.
  // With kNone the answer ends here, and what send_data() is given is counted as sent at once.
  [[nodiscard]] bool send_head(StreamId stream, const http::ResponseHead& head);
  // Copied; the caller holds to its credit (pipeline::kInitialCredit). More than the head announced resets
  // the stream, as does an end before all of it: on_stream_reset() does not come then.
  void send_data(StreamId stream, std::span<const char> bytes);
  // Trailers end the answer; those of framing, routing and credentials are dropped.
  void send_trailers(StreamId stream, const http::Fields& trailers);
  // An answer that ends before its request gets RST_STREAM with NO_ERROR behind it (RFC 9113 8.1).
  void send_end(StreamId stream);
  // The stream is over; no event of it follows.
  void reset(StreamId stream, Http2Error error);

  // Appends what is to be sent, frame by frame, until `out` holds `limit` bytes or a frame more.
  void take_output(std::string& out, std::size_t limit);
  // Whether take_output() would have something now, flow control considered.
  [[nodiscard]] bool wants_output() const;

  // ---- the connection

  // Graceful shutdown (RFC 9113 6.8): first a GOAWAY that refuses nothing, then, a round trip later, one that
  // names the last stream which is served. After it finished() turns true when the last stream is over.
  void begin_shutdown();
  void end_shutdown();
  // Ends the connection at once: streams are reset, as far as the owner is told; GOAWAY with `error`.
  void terminate(Http2Error error);
  // Nothing more will be read or is to be sent: the connection is to be closed.
  [[nodiscard]] bool finished() const;
  // Streams that were told of and are not over.
  [[nodiscard]] std::size_t open_streams() const;
  // A field section has begun and not ended: the clock for slow heads runs.
  [[nodiscard]] bool in_head() const;
  // The client's first SETTINGS have come: the handshake is over.
  [[nodiscard]] bool established() const;
  [[nodiscard]] const Http2Counts& counts() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::wire
