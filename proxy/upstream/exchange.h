// One request and its answer, over HTTP/1.1 or HTTP/2 as the server speaks it: streams both ways under
// credit, and decides what a failure means. exchange.cc finds a connection and speaks HTTP/1, where the head
// goes out together with what is there of the body; exchange_http2.cc has a stream of a shared connection.
//
//   find a connection -> send -> (interim heads) -> head -> body -> end
//
// Retried at most max_retries times, on a new connection, and only while nothing of an answer was seen and
// the whole request is still held here, its head as it came and a short body: when nothing was sent at all,
// or the method is idempotent (RFC 9110 9.2.2). A server that cannot be connected to is no retry: the next
// one is tried. The connection is kept only if both messages ended cleanly and nothing followed. What an
// HTTP/2 server says that it did not process may be sent again whatever its method (RFC 9113 8.7), and is no
// retry where it went away in order. Worker's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/counted.h"
#include "http/message.h"
#include "net/timer_wheel.h"
#include "pipeline/exchange.h"
#include "upstream/connection.h"
#include "upstream/http2_connection.h"
#include "upstream/pool.h"
#include "wire/encoder.h"
#include "wire/http2_client.h"

namespace holdfast::upstream {

class Exchange final : public pipeline::BackendStream, public ConnectionUser, private net::Expirable {
 public:
  Exchange(Ref<Pool> pool, const pipeline::RouteTimeouts& timeouts, http::RequestHead head,
           Ref<pipeline::ClientStream> client);
  ~Exchange() override;

  // Nothing of this calls the client before it returned, but for on_backend_chosen().
  void start();

  // A WebSocket goes to backends as an upgrade of HTTP/1.1, over a connection of its own.
  [[nodiscard]] bool needs_http1() const { return upgrade_; }
  // Servers that could not be connected to, or cannot take this request.
  [[nodiscard]] const std::vector<bool>& ruled_out() const { return tried_; }

  void on_request_data(std::span<const char> bytes) override;
  void on_request_trailers(http::Fields trailers) override;
  void on_request_end() override;
  void on_request_cancel(pipeline::Cause cause) override;
  void grant_response(std::size_t bytes) override;

  // From the pool: this connection is the exchange's now; and, for one that is ready, to go on at the next
  // turn.
  void take(Ref<Connection> connection);
  void begin_soon();
  void fail(pipeline::Cause cause);
  // The same for a connection that it shares; on_http2_ready() follows unless that is up.
  void join(Ref<Http2Connection> connection);

  // From the shared connection, in this order of life.
  void on_http2_ready();
  void on_http2_failed();   // it could not be made
  void on_http2_refused();  // its server does not speak HTTP/2 after all
  void on_http2_sent(std::size_t bytes);
  void on_http2_request_done();
  void on_http2_interim(http::ResponseHead head);
  void on_http2_head(http::ResponseHead head);
  void on_http2_data(std::span<const char> bytes);
  void on_http2_trailers(http::Fields trailers);
  void on_http2_end();
  void on_http2_reset(wire::Http2Failure failure);  // the stream is no more

 private:
  enum class Waiting : std::uint8_t { kConnection, kBackend, kAnswer };

  void on_connected() override;
  void on_connect_failed() override;
  void on_connection_readable() override;
  void on_connection_writable() override;
  void on_deadline(int which) override;

  void find_connection(bool fresh);
  void fail_soon(pipeline::Cause cause);
  void begin();
  [[nodiscard]] bool encode_held();
  void hold(std::span<const char> bytes);
  void forget_request();
  void pump();
  [[nodiscard]] bool write_out();
  void read();
  void feed(std::span<const char> bytes);
  void on_head();
  void open_tunnel(http::ResponseHead head);
  void finish(bool stray);
  void on_broken();
  [[nodiscard]] bool may_retry() const;
  void let_go(bool reusable);
  void arm(Waiting what, std::chrono::milliseconds after);
  void find_another(std::size_t failed_server);
  [[nodiscard]] bool rule_out_http2_servers();
  void count_in(std::size_t server);
  void count_out(std::size_t server);

  void begin_http2();
  void send_http2(std::span<const char> bytes);
  void watch_http2();
  void leave_http2(bool ended);

  Ref<Pool> pool_;
  Ref<pipeline::ClientStream> client_;
  Ref<Connection> connection_;
  http::RequestHead head_;
  wire::RequestEncoder encoder_;
  const std::chrono::milliseconds response_;  // the route's, or the upstream's
  net::Deadline deadline_;
  Waiting waiting_for_ = Waiting::kConnection;

  std::string held_;            // of the request's body, all so far: for the next attempt
  http::Fields held_trailers_;  // the client's, once the request has ended
  std::string out_;             // of this attempt, not sent yet
  std::size_t sent_ = 0;        // of out_
  std::size_t owed_ = 0;        // credit to grant to the client when out_ is sent
  std::size_t credit_;          // what the client still takes of the response
  std::vector<bool> tried_;     // see ruled_out()
  unsigned retries_ = 0;
  unsigned goaways_ = 0;

  // ---- over HTTP/2
  Ref<Http2Connection> http2_;
  wire::StreamId stream_ = 0;
  http::Fields trailers_;      // the server's
  std::size_t buffered_ = 0;   // of the body, not sent yet
  bool speaks_http2_ = false;  // this attempt
  bool request_done_ = false;  // all of it was sent
  bool answer_began_ = false;

  bool done_ = false;
  bool active_ = false;  // the connection is up and the request goes over it
  bool idempotent_ = false;
  bool upgrade_ = false;       // a WebSocket handshake
  bool tunnel_ = false;        // and it was accepted
  bool whole_ = true;          // head_ and held_ are the request so far
  bool left_ = false;          // a byte of this attempt was sent
  bool body_granted_ = false;  // the client has got its first credit
  bool pumping_ = false;
  bool paused_ = false;   // out of credit
  bool stopped_ = false;  // the backend takes no more of the request
  bool head_seen_ = false;
  bool close_after_ = false;
  bool request_ended_ = false;
  bool counted_ = false;  // among its server's requests in flight
};

}  // namespace holdfast::upstream
