// An HTTP/2 client on a blocking stream, TLS or plain: Http2Peer with a socket. Belongs to one thread.
#pragma once

#include <functional>
#include <string>

#include "support/http2_peer.h"
#include "support/socket.h"

namespace holdfast::support {

inline constexpr const char* kAlpnHttp2 = "\x02h2";  // wire format

class Http2Client {
 public:
  explicit Http2Client(Stream stream, const Http2Peer::Options& options = {});

  Http2Peer peer;

  // Sends what there is and takes what comes until `done`; false when the patience or the connection has
  // ended first.
  bool run_until(const std::function<bool()>& done, Milliseconds patience = kPatience);
  // Does so for a while, whatever comes.
  void run_for(Milliseconds time);
  // One request to the end of its answer, or its reset.
  Http2Answer& ask(const Http2Fields& fields, std::optional<std::string> body = std::nullopt,
                   Http2Fields trailers = {});
  Http2Answer& wait_for(std::int32_t stream, Milliseconds patience = kPatience);

  // Bytes of the test's own, in place of libnghttp2's.
  bool send_raw(std::string_view bytes) { return stream_.send(bytes); }
  [[nodiscard]] bool closed() const { return closed_; }
  [[nodiscard]] Stream& stream() { return stream_; }

 private:
  bool step(Milliseconds patience);

  Stream stream_;
  bool closed_ = false;
};

}  // namespace holdfast::support
