// The client's side of one HTTP/2 connection over libnghttp2: bytes in, bytes out, no socket. It may send
// what no honest client would (nothing of a request is checked), and takes answers as fast or as slowly as a
// test likes.
#pragma once

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/http_message.h"

namespace holdfast::support {

using Http2Fields = std::vector<std::pair<std::string, std::string>>;

struct Http2Answer {
  int status = 0;
  Fields fields;
  std::string body;
  std::size_t body_bytes = 0;
  Fields trailers;
  std::vector<int> interim;  // 1xx statuses that came before
  bool trailers_begun = false;
  bool ended = false;                  // by END_STREAM
  std::optional<std::uint32_t> reset;  // RST_STREAM's code

  [[nodiscard]] bool over() const { return ended || reset.has_value(); }
};

class Http2Peer {
 public:
  struct Options {
    std::uint32_t stream_window = 65535;
    std::uint32_t connection_window = 65535;
    bool take_answers = true;  // false: windows open only by consume()
    bool keep_bodies = true;
  };

  Http2Peer() : Http2Peer(Options()) {}
  explicit Http2Peer(const Options& options);
  Http2Peer(const Http2Peer&) = delete;
  Http2Peer& operator=(const Http2Peer&) = delete;

  void receive(std::string_view bytes);
  // What is to be sent now; from the first call on with preface and SETTINGS.
  [[nodiscard]] std::string output();

  // A request with its whole body, or none. Trailers need a body, if an empty one.
  std::int32_t request(const Http2Fields& fields, std::optional<std::string> body = std::nullopt,
                       Http2Fields trailers = {});
  // A request whose body comes by send().
  std::int32_t open(const Http2Fields& fields);
  void send(std::int32_t stream, std::string_view bytes, bool end = false);
  void reset(std::int32_t stream, std::uint32_t error = NGHTTP2_CANCEL);
  void consume(std::int32_t stream, std::size_t bytes);
  void ping();

  [[nodiscard]] Http2Answer& answer(std::int32_t stream) { return answers_[stream]; }
  struct Goaway {
    std::int32_t last = 0;
    std::uint32_t error = 0;
  };
  [[nodiscard]] const std::vector<Goaway>& goaways() const { return goaways_; }
  [[nodiscard]] std::size_t unsent(std::int32_t stream) const;

 private:
  struct Callbacks;
  struct Upload {
    std::string bytes;
    std::size_t at = 0;
    bool ended = false;
    Http2Fields trailers;
  };
  struct SessionDelete {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };

  std::int32_t submit(const Http2Fields& fields, bool with_body);

  Options options_;
  std::unique_ptr<nghttp2_session, SessionDelete> session_;
  std::map<std::int32_t, Http2Answer> answers_;
  std::map<std::int32_t, Upload> uploads_;
  std::vector<Goaway> goaways_;
};

}  // namespace holdfast::support
