// One HTTP/2 connection to one server, shared by many exchanges: a stream for each, bytes gathered and
// written together at the end of the loop's turn. While it is being made, exchanges wait for it here; a
// server that turns out to speak HTTP/1 sends them away again. It takes no more streams than its server
// wants, none after a GOAWAY, and ends when nobody used it for a while. Worker's thread only.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/counted.h"
#include "net/timer_wheel.h"
#include "upstream/connection.h"
#include "wire/http2_client.h"

namespace holdfast::upstream {

class Exchange;
class Pool;

class Http2Connection final : public Counted,
                              private ConnectionUser,
                              private wire::Http2ClientOwner,
                              private net::Expirable {
 public:
  // `connection` is being dialled or is up; see dial() and start().
  Http2Connection(Ref<Pool> pool, Ref<Connection> connection);
  ~Http2Connection() override;

  [[nodiscard]] std::size_t server() const { return connection_->server(); }

  void dial(const net::Endpoints& endpoints, std::size_t first);
  // The connection is up and speaks HTTP/2.
  void start();

  // One more exchange may join().
  [[nodiscard]] bool has_room() const;
  // No exchange uses it or waits for it.
  [[nodiscard]] bool is_idle() const {
    return up_ && !lost_ && !closing_ && exchanges_.empty() && waiting_.empty();
  }
  [[nodiscard]] bool is_up() const { return up_; }
  // It takes no more streams: a GOAWAY came, or it is gone.
  [[nodiscard]] bool is_closing() const { return lost_ || closing_ || codec_.is_closing(); }
  // So many bytes of heads wait to be written that others had better wait() for that.
  [[nodiscard]] bool is_congested() const;
  // Until it is up, or not congested any more, the exchange waits; it is told by on_http2_ready(), or by
  // on_http2_failed() or on_http2_refused().
  void wait(Exchange& exchange);
  void stop_waiting(Exchange& exchange);

  // ---- for exchanges; see wire/http2_client.h

  // 0: the head may not be sent, or there is no room after all.
  [[nodiscard]] wire::StreamId open(const http::RequestHead& head, Exchange& exchange);
  void send_data(wire::StreamId stream, std::span<const char> bytes);
  void send_end(wire::StreamId stream, const http::Fields& trailers);
  void grant_response(wire::StreamId stream, std::size_t bytes);
  // The exchange has done with the stream: both messages have ended, or it does not want what is left.
  void leave(wire::StreamId stream, bool ended);

  // Its server was too slow for somebody, or is not there any more: nobody joins until it answers a PING.
  void doubt();
  // Says GOAWAY and closes, as soon as that may be; exchanges that are still there break.
  void close();

 private:
  void on_connected() override;
  void on_connect_failed() override;
  void on_connection_readable() override;
  void on_connection_writable() override;
  void on_deadline(int which) override;

  void on_response_interim(wire::StreamId stream, http::ResponseHead head) override;
  void on_response_head(wire::StreamId stream, http::ResponseHead head) override;
  void on_response_data(wire::StreamId stream, std::span<const char> bytes) override;
  void on_response_trailers(wire::StreamId stream, http::Fields trailers) override;
  void on_response_end(wire::StreamId stream) override;
  void on_request_sent(wire::StreamId stream, std::size_t bytes) override;
  void on_request_done(wire::StreamId stream) override;
  void on_stream_reset(wire::StreamId stream, wire::Http2Failure failure) override;
  void on_stream_end(wire::StreamId stream) override;

  [[nodiscard]] Ref<Exchange> find(wire::StreamId stream) const;
  void release_waiting(bool failed);
  void admit_waiting();
  void schedule();
  void turn();
  void read();
  void flush();
  template <typename Call>
  void with_codec(Call call);
  void lose();
  void settle();

  Ref<Pool> pool_;
  const Ref<Connection> connection_;
  wire::Http2Client codec_;
  std::unordered_map<wire::StreamId, Ref<Exchange>> exchanges_;
  std::vector<Ref<Exchange>> waiting_;
  net::Deadline idle_deadline_;
  net::Deadline write_deadline_;
  std::string out_;
  std::size_t out_at_ = 0;
  bool up_ = false;
  bool lost_ = false;
  bool turn_posted_ = false;
  bool busy_ = false;     // inside the codec, which must not be called then
  bool closing_ = false;  // as soon as it is not
};

}  // namespace holdfast::upstream
