// HTTP/1 on one connection of a client: a state machine over a net::Stream that reads one request at a time,
// hands it to the story and writes what comes back. No request is parsed before the answer to the one before
// has ended; a body is read only as far as it was asked for; an answer is taken only as far as the client
// takes it. So what a connection holds is bounded: one read's worth of bytes in, one credit's worth out, and
// nothing while it is idle.
//
//   kHead -> kBody -> kWait -> kHead ...     a request, its body, waiting for its answer's end
//            kBody -> kDiscard -> kHead      answered early: the short rest of the body goes
//            kWait -> kTunnel                a WebSocket handshake was accepted: bytes, no messages any more
//            any   -> kStopped               refused; nothing more is read
//            any   -> kLinger -> kClosed     our side is ended; the client's rest is discarded so that no RST
//                                            overtakes the answer
//
// Worker's thread only. http1_input.cc has the way in, http1_output.cc the way out, http1_session.cc the
// rest.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/counted.h"
#include "listener/connection.h"
#include "listener/session.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "pipeline/exchange.h"
#include "pipeline/ports.h"
#include "wire/encoder.h"
#include "wire/request_decoder.h"

namespace holdfast::listener {

class Http1Session;

// One request and its answer, as the story sees it. Calls that come after its end are ignored.
class Http1Exchange final : public pipeline::ClientStream {
 public:
  explicit Http1Exchange(Http1Session& session);

  void on_response_interim(http::ResponseHead head) override;
  void on_response_head(http::ResponseHead head) override;
  void on_response_data(std::span<const char> bytes) override;
  void on_response_trailers(http::Fields trailers) override;
  void on_response_end() override;
  void on_response_reset(pipeline::Cause cause) override;
  void grant_request(std::size_t bytes) override;
  void set_timeouts(const pipeline::RouteTimeouts& timeouts) override { set_from_route(timeouts_, timeouts); }

 private:
  friend class Http1Session;

  void switch_protocols(const http::ResponseHead& head);
  [[nodiscard]] bool is_current() const;
  // The connection can serve another request after this one, as far as the request is concerned.
  [[nodiscard]] bool may_keep_alive() const;

  Ref<Http1Session> session_;  // a request refers to its connection's facts until it has ended
  Ref<pipeline::BackendStream> backend_;
  Timeouts timeouts_;  // the listener's, and the route's where it says so
  wire::ResponseEncoder encoder_;
  http::Fields trailers_;
  std::size_t credit_ = 0;     // of the request's body, granted and not yet handed over
  std::size_t ungranted_ = 0;  // of the response's body, taken and not yet granted again
  std::uint64_t body_left_ = 0;
  bool body_unknown_ = false;
  bool head_request_ = false;
  std::uint8_t version_minor_ = 1;
  bool wants_close_ = false;
  bool awaits_continue_ = false;
  bool upgrade_ = false;  // a WebSocket handshake
  bool request_ended_ = false;
  bool head_sent_ = false;
  bool ended_ = false;  // the response
  bool gone_ = false;   // the client, before the story had answered start()
};

class Http1Session final : public Session, private net::Expirable {
 public:
  explicit Http1Session(Connection& connection);

  void start(std::span<const char> first) override;
  void on_readable() override;
  void on_writable() override;
  void drain() override;
  void abandon() override;

 private:
  friend class Http1Exchange;
  enum class Phase : std::uint8_t { kHead, kBody, kWait, kDiscard, kTunnel, kStopped, kLinger, kClosed };
  enum Which : int { kInput, kOutput };

  void on_deadline(int which) override;

  // ---- in
  void pump();
  bool pump_once();
  bool read_request();
  bool watch_for_end();
  bool discard_rest();
  void open_tunnel(Http1Exchange& exchange);
  bool read_tunnel();
  void use(std::span<const char> bytes);
  std::size_t feed(std::span<const char> bytes);
  void begin_exchange();
  void refuse(Refusal refusal, std::uint16_t status);
  void take_body(std::span<const char> bytes);
  void end_request();
  void fault();
  void fail_request(pipeline::Cause cause);

  // ---- out
  void flush();
  void write_body(Http1Exchange& exchange, std::span<const char> bytes);
  void grant_response();
  void end_response(Http1Exchange& exchange);
  void send_broken_answer(Http1Exchange& exchange);

  // ---- the rest
  void schedule();  // turn() at the end of this turn of the loop
  void turn();
  void next_request();
  void end_connection();
  void client_gone(bool reset);
  void close(bool reset);
  [[nodiscard]] bool is_idle() const;
  [[nodiscard]] net::Stream& stream() { return connection_->stream(); }
  [[nodiscard]] const Timeouts& timeouts() const {
    return exchange_ ? exchange_->timeouts_ : connection_->timeouts();
  }
  void count(Close cause) const { connection_->tally().count(cause); }

  const Ref<Connection> connection_;
  wire::RequestDecoder decoder_;
  net::Deadline input_deadline_;
  net::Deadline output_deadline_;
  Ref<Http1Exchange> exchange_;
  std::string held_;  // read and not yet used
  std::size_t held_at_ = 0;
  std::string out_;  // to be written, from out_at_ on
  std::size_t out_at_ = 0;
  std::size_t discarded_ = 0;
  Phase phase_ = Phase::kHead;
  bool pumping_ = false;
  bool pump_wanted_ = false;
  bool turn_posted_ = false;
  bool head_begun_ = false;
  bool body_moved_ = false;
};

}  // namespace holdfast::listener
