// One connection to one server: dialled over the server's addresses in turn, TLS where the server has it,
// then used by one exchange at a time or idle, or, if it speaks HTTP/2, by an Http2Connection. Bytes or an
// end on an idle connection close it: an answer that nobody asked for is never taken for the answer to the
// next request. Worker's thread only.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>

#include "base/counted.h"
#include "net/connect.h"
#include "net/resolver.h"
#include "net/stream.h"
#include "net/timer_wheel.h"
#include "wire/response_decoder.h"

namespace holdfast::upstream {

inline constexpr std::size_t kReadPerTurn = 256 * 1024;  // of one connection; then others get their turn

class Pool;

// The exchange that a connection works for. Never called from inside a call of the connection's own.
class ConnectionUser {
 public:
  virtual void on_connected() = 0;
  virtual void on_connect_failed() = 0;  // the connection is closed
  virtual void on_connection_readable() = 0;
  virtual void on_connection_writable() = 0;

 protected:
  ~ConnectionUser() = default;
};

class Connection final : public net::StreamOwner, private net::Expirable {
 public:
  // Counts as open in the shared state, where the pool has taken its place, until it is closed. `http1_only`:
  // by ALPN nothing else is offered.
  Connection(Ref<Pool> pool, std::size_t server, bool http1_only = false);
  ~Connection() override;

  [[nodiscard]] std::size_t server() const { return server_; }
  [[nodiscard]] net::Stream& stream() { return *stream_; }
  [[nodiscard]] wire::ResponseDecoder& decoder() { return decoder_; }
  // Once it is up: by prior knowledge, or as ALPN said.
  [[nodiscard]] bool speaks_http2() const { return speaks_http2_; }
  // An exchange was served by it before: the server may have closed it meanwhile without a fault of its own.
  [[nodiscard]] bool reused() const { return reused_; }

  // Tries the endpoints in turn, beginning at `first`, all within `limit`; then on_connected() or
  // on_connect_failed().
  void dial(ConnectionUser& user, const net::Endpoints& endpoints, std::size_t first,
            std::chrono::milliseconds limit);
  void set_user(ConnectionUser& user);
  // Waits without a user; after `limit`, or when anything comes, it closes and leaves the pool.
  void idle(std::chrono::milliseconds limit);
  // Nothing has come on it since the last answer's end, not even something that the worker was not told of
  // yet: bytes that are there before the request would pass for its answer, and a FIN that is there spares a
  // request from being lost.
  [[nodiscard]] bool is_quiet();
  void close();

 private:
  class Dial;

  void on_readable() override;
  void on_writable() override;
  void on_deadline(int which) override;
  void on_dialled(net::Socket socket);
  void on_dial_failed();
  void handshake();
  void fail();

  Ref<Pool> pool_;
  std::size_t server_;
  ConnectionUser* user_ = nullptr;
  Ref<Dial> dial_;
  std::optional<net::Stream> stream_;
  const bool http1_only_;
  bool handshaking_ = false;
  bool speaks_http2_ = false;
  bool reused_ = false;
  bool open_ = true;  // has its place in the shared count
  net::Deadline idle_deadline_;
  wire::ResponseDecoder decoder_;
};

}  // namespace holdfast::upstream
