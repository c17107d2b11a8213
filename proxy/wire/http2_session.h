// What both sides of an HTTP/2 connection do alike, over libnghttp2: streams with a bounded buffer each way,
// windows that open as credit is granted, output frame by frame, the peer's budget, shutdown. The roles
// (http2_server.cc, http2_client.cc) give field sections their meaning. Private to this folder.
//
// In:  DATA passes to the role within the stream's credit, the rest is held, at most a stream window of it.
//      A client's stream opens its window again by what was passed on, a backend's as credit is granted: it
//      has no window without. The connection's, see http2.h.
// Out: a stream's bytes wait in its buffer until flow control lets them go.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "http/message.h"
#include "wire/http1.h"
#include "wire/http2.h"
#include "wire/http2_budget.h"
#include "wire/http2_frames.h"
#include "wire/http2_section.h"

namespace holdfast::wire {

// What a field costs beside its name and value where SETTINGS_MAX_HEADER_LIST_SIZE counts it: RFC 9113 6.5.2.
inline constexpr std::uint32_t kListedFieldOverhead = 32;

// A request that has come and was not handed on yet.
struct Http2Waiting {
  http::RequestHead head;
  bool refused = false;        // for its head, with the fault
  std::optional<Fault> fault;  // of what came after it, otherwise
};

// One stream, from the peer's or our head until libnghttp2 has closed it.
struct Http2Stream {
  explicit Http2Stream(StreamId number) : id(number) {}

  StreamId id;
  bool told = false;    // the owner knows of it
  bool over = false;    // for the owner: no event of it follows, and calls for it do nothing
  bool tunnel = false;  // of an extended CONNECT
  bool head_request = false;

  // ---- in
  Http2Section section;     // being decoded
  bool head_seen = false;   // the final head, not an interim one
  bool in_stopped = false;  // what still comes is dropped
  bool in_ended = false;    // END_STREAM came
  bool in_told = false;     // and the owner was told of the end
  bool peer_reset = false;
  bool closed = false;  // libnghttp2 has forgotten it; what is held of its message is still handed out
  unsigned interims = 0;
  std::size_t credit = 0;
  std::size_t head_cost = 0;
  std::size_t window_due = 0;  // of ours, to open once our head has left
  std::uint64_t body_bytes = 0;
  std::string held;
  std::size_t held_at = 0;
  std::optional<http::Fields> trailers;
  std::unique_ptr<Http2Waiting> waiting;  // the owner is to be told of it first
  bool deliverable = false;               // in the list of those to be delivered

  // ---- out
  std::string buffer;
  std::size_t buffer_at = 0;
  std::size_t sent = 0;               // and the owner not told yet
  std::size_t unsent_head = 0;        // bytes of our head that libnghttp2 holds a copy of
  std::optional<std::uint64_t> left;  // of a known length
  bool head_sent = false;             // by the owner
  bool head_written = false;          // by libnghttp2
  bool no_body = false;               // END_STREAM goes out with the head
  bool out_ended = false;
  bool out_done = false;  // END_STREAM was sent
  std::optional<http::Fields> out_trailers;
};

class Http2Session {
 public:
  virtual ~Http2Session();
  Http2Session(const Http2Session&) = delete;
  Http2Session& operator=(const Http2Session&) = delete;

  std::size_t receive(std::span<const char> bytes, SteadyTime now, std::size_t& allowance);
  void receive(std::span<const char> bytes, SteadyTime now);
  void grant(StreamId id, std::size_t bytes);
  [[nodiscard]] bool wants_deliver() const { return !deliverable_.empty(); }
  void deliver();
  void send_data(StreamId id, std::span<const char> bytes);
  // With trailers, or without.
  void send_end(StreamId id, const http::Fields* trailers);
  void reset(StreamId id, Http2Error error);
  void take_output(std::string& out, std::size_t limit);
  [[nodiscard]] bool wants_output() const;
  void ping();
  [[nodiscard]] bool awaits_ping() const { return ping_sent_; }
  void terminate(Http2Error error);
  // Nothing will be received or sent any more.
  void lose_connection();
  [[nodiscard]] bool finished() const;
  [[nodiscard]] std::size_t open_streams() const { return open_; }
  [[nodiscard]] bool in_field_section() const { return frames_.in_field_section(); }
  [[nodiscard]] bool established() const { return established_; }
  [[nodiscard]] const Http2Counts& counts() const { return counts_; }
  [[nodiscard]] std::size_t unsent_heads() const { return unsent_heads_; }

 protected:
  enum class Role : std::uint8_t { kServer, kClient };

  Http2Session(Role role, const Http2Limits& limits);

  // ---- what the roles decide. All come from inside receive(), deliver() and take_output().
  virtual void on_section(Http2Stream& stream, bool end) = 0;
  virtual void on_data(Http2Stream& stream, std::span<const char> bytes) = 0;
  virtual void on_end(Http2Stream& stream, std::optional<http::Fields> trailers) = 0;
  // More than the limit came.
  virtual void on_too_large(Http2Stream& stream) = 0;
  virtual void on_sent(Http2Stream& stream, std::size_t bytes) = 0;
  // END_STREAM was sent.
  virtual void on_out_done(Http2Stream& stream) = 0;
  // The stream is over and was not so for the owner; it is marked so already. `error` is RST_STREAM's.
  virtual void on_closed(Http2Stream& stream, Http2Error error) = 0;

  [[nodiscard]] nghttp2_session* session() const { return session_; }
  // A GOAWAY that refuses nothing goes out, and another one follows; or that one has been given now.
  void set_notice_given(bool given) { notice_given_ = given; }
  [[nodiscard]] bool is_over() const { return over_; }
  [[nodiscard]] bool is_terminated() const { return terminated_; }
  // Streams that libnghttp2 knows.
  [[nodiscard]] std::size_t known_streams() const { return streams_.size() - closed_; }
  [[nodiscard]] const Http2Limits& limits() const { return limits_; }
  // nullptr: none that the owner could mean.
  [[nodiscard]] Http2Stream* find(StreamId id) const;
  // One that the owner may have done with, too.
  [[nodiscard]] Http2Stream* find_any(StreamId id) const;
  Http2Stream& add(StreamId id);
  void tell(Http2Stream& stream);
  // What a request's head, decoded and not told of yet, costs until its stream ends.
  [[nodiscard]] bool afford_head(Http2Stream& stream);
  [[nodiscard]] bool afford_repeats(Http2Stream& stream);
  void refuse(Http2Stream& stream);
  // The rest of what the peer sends on it is dropped.
  void stop_input(Http2Stream& stream);
  // Tells of the end of what has come, once.
  void finish_input(Http2Stream& stream);
  // libnghttp2 copies a head until it is written.
  void hold_unsent_head(Http2Stream& stream, std::size_t bytes);
  [[nodiscard]] static nghttp2_data_provider body_provider();

 private:
  struct Callbacks;
  friend struct Callbacks;

  // Drops what is used up, and gives memory back when nothing is left.
  static void consume(std::string& buffer, std::size_t& at, std::size_t bytes);
  std::size_t receive_some(std::span<const char> bytes, std::size_t& allowance);
  void feed(std::span<const char> bytes);
  void take_data(Http2Stream& stream, std::span<const char> bytes);
  void end_input(Http2Stream& stream);
  void deliver(Http2Stream& stream);
  void drop_held(Http2Stream& stream);
  void open_window(Http2Stream& stream, std::size_t bytes);
  void on_padding(StreamId id, std::size_t bytes);
  void consumed(const Http2Stream& stream, std::size_t bytes);
  void settle_window();
  void give_up(Http2Error error);
  void calm();
  void let_go_of_head(Http2Stream& stream);
  void close(StreamId id, Http2Error error);
  void end(Http2Stream& stream, Http2Error error);
  void close_all(Http2Error error);
  void sweep();
  void check_over();
  [[nodiscard]] bool reading_ended() const;
  [[nodiscard]] bool is_stray(const Http2FrameHead& head) const;
  [[nodiscard]] std::ptrdiff_t read_body(Http2Stream& stream, std::size_t room, std::uint32_t& flags);

  const Role role_;
  const Http2Limits limits_;
  nghttp2_session* session_ = nullptr;
  std::unordered_map<StreamId, std::unique_ptr<Http2Stream>> streams_;
  Http2FrameReader frames_;
  Http2StreamOrder order_;
  Http2Budget budget_;
  Http2Counts counts_;
  std::vector<StreamId> deliverable_;
  std::vector<StreamId> sent_;
  std::string* out_ = nullptr;  // while take_output() runs
  std::size_t out_limit_ = 0;
  std::size_t open_ = 0;
  std::size_t closed_ = 0;
  std::size_t held_ = 0;       // in all streams
  std::size_t head_cost_ = 0;  // of all streams
  std::size_t unsent_heads_ = 0;
  std::size_t decoded_ = 0;       // octets of field sections, since they were last counted
  std::size_t section_ = 0;       // octets of the field section under way, decoded
  std::size_t section_wire_ = 0;  // and as they came
  std::size_t unconsumed_ = 0;    // of the connection's window
  StreamId last_peer_stream_ = 0;
  bool established_ = false;
  bool ping_sent_ = false;  // and not answered
  bool notice_given_ = false;
  bool terminated_ = false;
  bool over_ = false;                 // libnghttp2 is not called any more
  std::optional<Http2Error> goaway_;  // to be written by hand, after libnghttp2 gave up
};

}  // namespace holdfast::wire
