// One request of an HTTP/2 connection and its answer, as the story sees them: the pipeline's credit against
// the codec's windows, and the clocks of a client that sends its body, or takes its answer, too slowly. Such
// a stream is answered or reset; the connection and its other streams go on. Calls that come after the
// stream's end are ignored. Worker's thread only.
//
// gRPC differs in two ways. Its client may say how long the call may take (`grpc-timeout`) and is held to it,
// lest a backend work on for a client that has gone. And its body is no upload but a stream of messages that
// may rest as long as the answer may: stream_idle, with what passes either way counted.
#pragma once

#include <cstddef>
#include <span>

#include "base/counted.h"
#include "http/message.h"
#include "listener/config.h"
#include "net/timer_wheel.h"
#include "pipeline/exchange.h"
#include "wire/http1.h"
#include "wire/http2.h"

namespace holdfast::listener {

class Http2Session;

class Http2Stream final : public pipeline::ClientStream, private net::Expirable {
 public:
  Http2Stream(Http2Session& session, wire::StreamId id, const http::RequestHead& head);

  [[nodiscard]] wire::StreamId id() const { return id_; }

  // ---- from the codec, by the session

  // What the story returned for the request.
  void begun(Ref<pipeline::BackendStream> backend);
  void on_request_data(std::span<const char> bytes);
  void on_request_trailers(http::Fields trailers);
  void on_request_end();
  void on_request_fault(const wire::Fault& fault);
  void on_response_sent(std::size_t bytes);
  // The codec knows the stream no more: both messages have gone through it, although the story may still have
  // to say that an answer without a body has ended.
  void over();
  // The same, before both have ended.
  void cut_off(pipeline::Cause cause);

  // ---- from the story

  void on_response_interim(http::ResponseHead head) override;
  void on_response_head(http::ResponseHead head) override;
  void on_response_data(std::span<const char> bytes) override;
  void on_response_trailers(http::Fields trailers) override;
  void on_response_end() override;
  void on_response_reset(pipeline::Cause cause) override;
  void grant_request(std::size_t bytes) override;
  [[nodiscard]] std::size_t first_credit() const override { return room_; }
  void set_timeouts(const pipeline::RouteTimeouts& timeouts) override { set_from_route(timeouts_, timeouts); }

 private:
  enum Which : int { kInput, kOutput, kCall };

  void on_deadline(int which) override;
  void cancel_request(pipeline::Cause cause);
  void end_call();
  void send_broken_answer();
  void give_up_room();
  void open_tunnel(http::ResponseHead& head);
  void watch_request();

  const Ref<Http2Session> session_;  // a request refers to its connection's facts until it has ended
  const wire::StreamId id_;
  Timeouts timeouts_;  // the listener's, and the route's where it says so
  Ref<pipeline::BackendStream> backend_;
  net::Deadline input_deadline_;  // of the request's body; of a tunnel, both ways
  net::Deadline output_deadline_;
  net::Deadline call_deadline_;
  std::size_t credit_ = 0;      // of the request's body, granted and not yet handed over
  std::size_t room_ = 0;        // of the response's body: granted, here, or sent and not granted again
  std::size_t unsent_ = 0;      // of the response's body, with the codec
  std::size_t ungranted_ = 0;   // of the response's body, sent and not yet granted again
  http::BodyLength body_left_;  // of the response's body, where its head announced it
  http::Fields trailers_;
  const bool grpc_;
  bool awaits_continue_;
  bool tunnel_ = false;  // of an accepted WebSocket handshake
  bool request_ended_ = false;
  bool head_sent_ = false;
  bool ended_ = false;  // the response
  bool gone_ = false;   // the client, or we for it, before the story had answered start()
  bool over_ = false;
};

}  // namespace holdfast::listener
