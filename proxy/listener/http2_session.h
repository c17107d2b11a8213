// HTTP/2 on one connection of a client (RFC 9113): between the stream's bytes and the codec, and between the
// codec's streams and the story. What the connection holds is bounded by the codec's windows and by one piece
// of output: no more is taken from the codec, and nothing read, before the client has taken what there is, so
// that a client that does not read gets no work done. Neither does one turn of the loop serve more of what
// was read than the codec's allowance: the rest waits here, behind what other connections have sent
// meanwhile.
//
// Ends in two steps, when idle for too long or when draining: GOAWAY that refuses nothing, a little later the
// one that names the last stream (6.8), and the close after that stream. Worker's thread only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/counted.h"
#include "listener/connection.h"
#include "listener/http2_stream.h"
#include "listener/response_room.h"
#include "listener/session.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "wire/http2_server.h"

namespace holdfast::listener {

class Http2Session final : public Session, private wire::Http2ServerOwner, private net::Expirable {
 public:
  explicit Http2Session(Connection& connection);

  void start(std::span<const char> first) override;
  void on_readable() override;
  void on_writable() override;
  void drain() override;
  void abandon() override;

 private:
  friend class Http2Stream;
  enum class Phase : std::uint8_t { kOpen, kEnding, kLinger, kClosed };  // kEnding: a GOAWAY is under way
  enum Which : int { kHead, kLife, kOutput };

  void on_deadline(int which) override;

  // ---- the codec's events
  void on_request_head(wire::StreamId id, http::RequestHead head) override;
  void on_request_refused(wire::StreamId id, wire::Fault fault, http::RequestHead head) override;
  void on_request_data(wire::StreamId id, std::span<const char> bytes) override;
  void on_request_trailers(wire::StreamId id, http::Fields trailers) override;
  void on_request_end(wire::StreamId id) override;
  void on_request_fault(wire::StreamId id, wire::Fault fault) override;
  void on_response_sent(wire::StreamId id, std::size_t bytes) override;
  void on_stream_reset(wire::StreamId id, bool malformed) override;
  void on_stream_end(wire::StreamId id) override;

  // ---- for the streams
  [[nodiscard]] wire::Http2Server& codec() { return codec_; }
  [[nodiscard]] ResponseRoom& response_room() { return response_room_; }
  // Resets the stream, which is over with that.
  void reset(Http2Stream& stream, wire::Http2Error error);
  // pump() at the end of this turn of the loop: no call grows on top of its own answer, and what was written
  // till then leaves in one piece.
  void schedule();

  void pump();
  [[nodiscard]] bool read();
  void receive(std::span<const char> bytes);
  [[nodiscard]] bool receive_rest();
  [[nodiscard]] bool flush();
  [[nodiscard]] bool discard();
  void watch_clocks();
  void report();
  void begin_end();
  void end_connection();
  void client_gone(bool reset);
  void close(bool reset);
  [[nodiscard]] Ref<Http2Stream> find(wire::StreamId id) const;
  Ref<Http2Stream> add_stream(wire::StreamId id, const http::RequestHead& head);
  Ref<Http2Stream> take(wire::StreamId id);
  void end_streams();
  [[nodiscard]] net::Stream& stream() { return connection_->stream(); }

  const Ref<Connection> connection_;
  wire::Http2Server codec_;
  ResponseRoom response_room_;
  std::vector<Ref<Http2Stream>> streams_;  // by number
  net::Deadline head_deadline_;            // the preface, or a field section that does not end
  net::Deadline life_deadline_;            // idle; between the two GOAWAYs; lingering
  net::Deadline output_deadline_;
  wire::Http2Counts reported_;
  std::string rest_;  // read, and from rest_at_ on not yet given to the codec
  std::size_t rest_at_ = 0;
  std::size_t allowance_ = wire::kHttp2TurnAllowance;  // what is left of this turn's
  std::string out_;                                    // to be written, from out_at_ on
  std::size_t out_at_ = 0;
  Phase phase_ = Phase::kOpen;
  bool pumping_ = false;
  bool turn_posted_ = false;
  bool section_ended_ = false;  // a field section, since the clocks were looked at
};

}  // namespace holdfast::listener
