// A byte stream over an Asio socket, plain or TLS, for state machines: reads and writes do what can be done
// now, waits tell the owner when more can. One object for both kinds; a read or a write costs one system call
// and no allocation of ours. TLS is OpenSSL on the socket through a small BIO that knows when the socket is
// drained and gathers all records of one write into one send; with SSL_MODE_RELEASE_BUFFERS an idle stream
// holds no buffer at all. One stream belongs to one worker's thread.
//
// Lifetime: the owner is Counted and the stream a member of it, gone only with it. While a wait is under way
// (cancelled or not) or bytes are still to be sent, a Ref to the owner is held. After close() no callback
// comes any more.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/counted.h"
#include "net/socket.h"
#include "net/worker.h"

namespace holdfast::net {

struct SslFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using SslPtr = std::unique_ptr<SSL, SslFree>;

class StreamOwner : public virtual Counted {
 public:
  // The callbacks never come from inside a call of the stream's own. They may come when there is nothing
  // after all.
  virtual void on_readable() = 0;  // bytes, the end or an error is there to be read
  virtual void on_writable() = 0;
};

class Stream {
 public:
  enum class State : std::uint8_t { kOk, kWouldBlock, kEnd, kFailed };
  struct Result {
    State state;
    std::size_t bytes = 0;
  };

  // `socket` is connected and non-blocking; TCP_NODELAY is set here. With `ssl` (from a TLS context of this
  // folder, which says which side we are) the stream is TLS and handshake() comes first.
  Stream(Worker& worker, Socket socket, SslPtr ssl, StreamOwner& owner);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Goes on with the TLS handshake. kWouldBlock: wait_readable(), then call again. Plain streams are done at
  // once.
  [[nodiscard]] Result handshake();

  // The same as read() for what comes before TLS, as far as it is asked for and no byte further: the
  // handshake must find its own. Only before handshake().
  [[nodiscard]] Result read_before_tls(std::span<char> into);

  // What is there now, up to the size of `into`, which is not empty. kEnd is a clean end (close_notify; FIN
  // on plain), kFailed anything else. After kOk there may be more at once; kWouldBlock comes cheaply, without
  // a system call, once the socket is known to be drained.
  [[nodiscard]] Result read(std::span<char> into);
  // As much as is taken now, from `first` and then `second`, as one record where they fit and one system
  // call. On TLS what is taken may stay in the stream as ciphertext, at most kMaxGather of it, and is sent by
  // itself; see flushed().
  [[nodiscard]] Result write(std::span<const char> first, std::span<const char> second = {});
  static constexpr std::size_t kMaxGather = 64 * 1024;

  // One call of the owner each; waiting for what is being waited for already does nothing.
  // If something may be there to be read already, including plaintext inside OpenSSL, on_readable() comes on
  // the worker's next turn.
  void wait_readable();
  // on_writable() comes when everything taken has gone to the kernel and it takes more.
  void wait_writable();
  // After kEnd or kFailed it would come again and again.
  // The owner may be destroyed by this unless the caller holds a Ref.
  void cancel_wait_readable();

  // True when nothing taken by write() is still here (the kernel may hold it, of course).
  [[nodiscard]] bool flushed() const { return pending_.empty(); }

  // Ends our side: close_notify and then FIN, after what is still to be sent. Reading goes on.
  void shutdown_write();
  // Closes at once, without what is not flushed; `reset` sends RST instead of FIN. The owner may be destroyed
  // by this unless the caller holds a Ref.
  void close(bool reset = false);
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }

  [[nodiscard]] bool is_tls() const { return tls_; }
  // nullptr on plain, and after close().
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }
  [[nodiscard]] int fd() { return socket_.native_handle(); }
  [[nodiscard]] Worker& worker() const { return worker_; }

 private:
  friend struct StreamBio;

  void watch_readable();
  void watch_writable();
  [[nodiscard]] Result ssl_result(int returned);
  Result read_plain(std::span<char> into);
  [[nodiscard]] Result write_plain(std::span<const char> first, std::span<const char> second);
  [[nodiscard]] Result write_tls(std::span<const char> first, std::span<const char> second);
  [[nodiscard]] bool flush();
  void wake();
  void settle();
  void hold();
  void let_go();

  Worker& worker_;
  StreamOwner& owner_;
  Socket socket_;
  SslPtr ssl_;
  const bool tls_;
  std::vector<char> pending_;  // ciphertext that the socket did not take, from sent_ on
  std::size_t sent_ = 0;
  Ref<StreamOwner> held_;
  bool readable_ = true;  // the socket may hold bytes: they were announced and not read to the end since
  bool decoded_ = false;  // OpenSSL may hold a whole record: it gave bytes and has more
  bool writable_ = true;
  bool failed_ = false;
  bool write_failed_ = false;  // plain only: reading goes on
  bool wants_read_ = false;
  bool wants_write_ = false;
  bool watches_read_ = false;
  bool watches_write_ = false;
  bool wake_posted_ = false;
  bool shutdown_asked_ = false;
  bool shutdown_sent_ = false;
};

}  // namespace holdfast::net
