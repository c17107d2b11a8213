// The two narrow interfaces between client protocols and backend protocols: N listeners and M upstreams
// instead of N x M.
//
//   client -> backend   head (at start), then {data}*, [trailers], end;  or cancel(cause) at any time
//   backend -> client   {interim head}*, head, {data}*, [trailers], end; or reset(cause) at any time
//
// Either side may finish first: a backend may answer before the request's body has ended. Bytes are handed
// over as views that the receiver consumes or copies before it returns. Back-pressure is by credit: a backend
// may send the client's first_credit() at once, a client none (no body is read for a request that is not
// admitted; the first grant is also what answers `Expect: 100-continue`); neither ever sends more than it was
// granted.
// A WebSocket handshake (head.protocol) that is answered with 101 opens a tunnel: data after that head are
// the tunnel's bytes, each way under its credit as before, the client's beginning only then; each side's end
// ends its way. Any other answer is an answer. One Close frame of our own may go beyond the credit, as the
// last of its way.
//
// All calls of one exchange happen on one worker's thread. Calls may be made from inside a call of the other
// side. After both ends, a cancel or a reset neither side calls the other again.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "base/counted.h"
#include "http/message.h"

namespace holdfast::pipeline {

// What either side holds of a body at most, in bytes.
inline constexpr std::size_t kInitialCredit = 64 * 1024;

enum class Cause : std::uint8_t {
  kClientGone,          // the client closed, reset or timed out
  kBackendUnreachable,  // no connection could be made
  kNoWebSocket,         // its servers speak HTTP/2 alone
  kWebSocketIgnored,    // answered a handshake of HTTP/2 with success, but not with a WebSocket
  kBackendBroken,       // closed early, malformed or forbidden answer
  kBackendCancelled,    // ended its answer by itself (RST_STREAM with CANCEL)
  kBackendExhausted,    // has too much to do (RST_STREAM with ENHANCE_YOUR_CALM)
  kBackendTimeout,      // answered too slowly
  kOverloaded,          // no connection is free in time, or the upstream's queue is full
  kRequestMalformed,    // the body's framing turned out wrong after the head
  kRequestTooLarge,     // the body passed its limit
  kTrailersTooLarge,    // the fields behind the body passed theirs
  kRequestTimeout,      // the client was too slow with its body
  kDeadlinePassed,      // the client's own, for the whole call (gRPC)
  kDraining,
  kTokenExpired,  // close_at_expiry; the client's token says so, not the client
};

// How long one exchange may take, where its route says something else than its listener or its upstream.
struct RouteTimeouts {
  std::optional<std::chrono::milliseconds> body_idle;  // the client's, as are the next two
  std::optional<std::chrono::milliseconds> stream_idle;
  std::optional<std::chrono::milliseconds> tunnel;
  std::optional<std::chrono::milliseconds> response;  // the backend's: from the request sent to the head
};

// The request's way to the backend. Counted: whoever calls it holds a Ref.
class BackendStream : public virtual Counted {
 public:
  virtual void on_request_data(std::span<const char> bytes) = 0;
  virtual void on_request_trailers(http::Fields trailers) = 0;
  virtual void on_request_end() = 0;
  virtual void on_request_cancel(Cause cause) = 0;
  // The client has taken `bytes` more of the response's body; the backend may send as many more.
  virtual void grant_response(std::size_t bytes) = 0;
};

// The response's way to the client. Counted: whoever calls it holds a Ref.
class ClientStream : public virtual Counted {
 public:
  virtual void on_response_interim(http::ResponseHead head) = 0;
  virtual void on_response_head(http::ResponseHead head) = 0;
  virtual void on_response_data(std::span<const char> bytes) = 0;
  virtual void on_response_trailers(http::Fields trailers) = 0;
  virtual void on_response_end() = 0;
  virtual void on_response_reset(Cause cause) = 0;
  // The backend has taken `bytes` more of the request's body; the client may send as many more.
  virtual void grant_request(std::size_t bytes) = 0;
  // What a backend may send of the response's body before any grant; at most kInitialCredit, never 0.
  [[nodiscard]] virtual std::size_t first_credit() const { return kInitialCredit; }
  // At most once, before the first grant.
  virtual void set_timeouts(const RouteTimeouts& /*timeouts*/) {}
  // Which server was chosen, for the log; again when another one is tried. May come from inside
  // Upstreams::open(). `server` lives as long as the exchange.
  virtual void on_backend_chosen(std::string_view /*server*/) {}
};

}  // namespace holdfast::pipeline
