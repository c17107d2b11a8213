#include "net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/buffer.h"

namespace holdfast::net {

namespace {

constexpr std::size_t kRecord = 16 * 1024;  // RFC 8446 5.1: the most plaintext in one record

// What OpenSSL wrote during the call that is under way, on this thread; empty between calls.
thread_local std::vector<char> gathered;

bool would_block() {
  return errno == EAGAIN || errno == EWOULDBLOCK;
}

// SSL_get_error() wants an empty queue. Looking first: clearing writes all over it, whether or not it holds
// anything.
void clear_errors() {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

}  // namespace

// The BIO below a stream's SSL. Reads go to the socket unless it is known to be drained; writes are gathered
// until the stream's call ends, so that several records leave in one system call.
struct StreamBio {
  static int read(BIO* bio, char* into, int size) {
    auto& stream = *static_cast<Stream*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    if (!stream.readable_) {
      BIO_set_retry_read(bio);
      return -1;
    }
    const ssize_t got = ::recv(stream.socket_.native_handle(), into, static_cast<std::size_t>(size), 0);
    if (got < 0 && would_block()) {
      stream.readable_ = false;
      BIO_set_retry_read(bio);
      return -1;
    }
    if (got < size) stream.readable_ = false;
    return static_cast<int>(got);
  }

  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    gathered.insert(gathered.end(), bytes, bytes + size);
    return size;
  }

  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static BIO_METHOD* method() {
    static BIO_METHOD* const method = [] {
      BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "holdfast stream");
      BIO_meth_set_read(made, &read);
      BIO_meth_set_write(made, &write);
      BIO_meth_set_ctrl(made, &control);
      BIO_meth_set_create(made, [](BIO* bio) {
        BIO_set_init(bio, 1);
        return 1;
      });
      return made;
    }();
    return method;
  }
};

// Of what was written, that the kernel holds beside what is on its way.
constexpr int kUnsent = 128 * 1024;

Stream::Stream(Worker& worker, Socket socket, SslPtr ssl, StreamOwner& owner)
    : worker_(worker),
      owner_(owner),
      socket_(std::move(socket)),
      ssl_(std::move(ssl)),
      tls_(ssl_ != nullptr) {
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  // A peer that does not read gets no more of the kernel's memory than this, instead of megabytes.
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kUnsent, sizeof(kUnsent));
  if (ssl_ != nullptr) {
    BIO* const bio = BIO_new(StreamBio::method());
    if (bio == nullptr) {
      failed_ = true;
      return;
    }
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_.get(), bio, bio);
    // A record's header and body, and often the next one, in one recv; the buffer goes when it is empty.
    SSL_set_read_ahead(ssl_.get(), 1);
    SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
  }
}

Stream::~Stream() {
  if (is_open()) close();
}

Stream::Result Stream::handshake() {
  if (failed_) return {State::kFailed};
  if (!is_open()) return {State::kFailed};
  if (ssl_ == nullptr || SSL_is_init_finished(ssl_.get()) != 0) return {State::kOk};
  clear_errors();
  const Result result = ssl_result(SSL_do_handshake(ssl_.get()));
  decoded_ = result.state == State::kOk && SSL_has_pending(ssl_.get()) != 0;
  // Also where it failed: the alert tells the peer why.
  if (!flush()) return {State::kFailed};
  return result;
}

Stream::Result Stream::ssl_result(int returned) {
  if (returned > 0) return {State::kOk, static_cast<std::size_t>(returned)};
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return {State::kWouldBlock};
    case SSL_ERROR_ZERO_RETURN:
      return {State::kEnd};
    default:
      failed_ = true;
      return {State::kFailed};
  }
}

Stream::Result Stream::read(std::span<char> into) {
  if (failed_ || !is_open()) return {State::kFailed};
  if (!readable_ && !decoded_) return {State::kWouldBlock};
  if (ssl_ != nullptr) {
    clear_errors();
    const int size = static_cast<int>(std::min<std::size_t>(into.size(), 1u << 30));
    const Result result = ssl_result(SSL_read(ssl_.get(), into.data(), size));
    decoded_ = result.state == State::kOk && SSL_has_pending(ssl_.get()) != 0;
    if (!gathered.empty() && !flush()) return {State::kFailed};
    return result;
  }
  return read_plain(into);
}

Stream::Result Stream::read_before_tls(std::span<char> into) {
  if (failed_ || !is_open()) return {State::kFailed};
  if (!readable_) return {State::kWouldBlock};
  return read_plain(into);
}

Stream::Result Stream::read_plain(std::span<char> into) {
  const ssize_t got = ::recv(socket_.native_handle(), into.data(), into.size(), 0);
  if (got > 0) {
    if (static_cast<std::size_t>(got) < into.size()) readable_ = false;
    return {State::kOk, static_cast<std::size_t>(got)};
  }
  if (got == 0) return {State::kEnd};
  if (would_block()) {
    readable_ = false;
    return {State::kWouldBlock};
  }
  failed_ = true;
  return {State::kFailed};
}

Stream::Result Stream::write(std::span<const char> first, std::span<const char> second) {
  if (failed_ || !is_open() || shutdown_asked_) return {State::kFailed};
  if (first.empty() && second.empty()) return {State::kOk};
  return ssl_ != nullptr ? write_tls(first, second) : write_plain(first, second);
}

Stream::Result Stream::write_plain(std::span<const char> first, std::span<const char> second) {
  if (write_failed_) return {State::kFailed};
  if (!writable_) return {State::kWouldBlock};
  std::array<iovec, 2> parts{};
  parts[0] = {const_cast<char*>(first.data()), first.size()};
  parts[1] = {const_cast<char*>(second.data()), second.size()};
  msghdr message{};
  message.msg_iov = first.empty() ? &parts[1] : parts.data();
  message.msg_iovlen = first.empty() || second.empty() ? 1 : 2;
  const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL);
  if (sent >= 0) {
    if (static_cast<std::size_t>(sent) < first.size() + second.size()) writable_ = false;
    return {State::kOk, static_cast<std::size_t>(sent)};
  }
  if (would_block()) {
    writable_ = false;
    return {State::kWouldBlock};
  }
  // The peer may have said why before it closed: what came is still to be read.
  write_failed_ = true;
  return {State::kFailed};
}

Stream::Result Stream::write_tls(std::span<const char> first, std::span<const char> second) {
  if (!pending_.empty()) {
    if (!flush()) return {State::kFailed};
    if (!pending_.empty()) return {State::kWouldBlock};
  }
  clear_errors();
  std::size_t taken = 0;
  std::array<char, kRecord> joined;
  if (!first.empty() && !second.empty()) {
    // A head and the first bytes of its body: one record.
    const std::size_t tail = std::min(second.size(), kRecord - std::min(kRecord, first.size()));
    if (first.size() + tail <= kRecord) {
      std::memcpy(joined.data(), first.data(), first.size());
      std::memcpy(joined.data() + first.size(), second.data(), tail);
      const Result result =
          ssl_result(SSL_write(ssl_.get(), joined.data(), static_cast<int>(first.size() + tail)));
      if (result.state != State::kOk) return result;
      taken = result.bytes;
      first = {};
      second = second.subspan(tail);
    }
  }
  for (std::span<const char> part : {first, second}) {
    while (!part.empty() && taken < kMaxGather) {
      const std::size_t size = std::min({part.size(), kRecord, kMaxGather - taken});
      const Result result = ssl_result(SSL_write(ssl_.get(), part.data(), static_cast<int>(size)));
      if (result.state != State::kOk) return {State::kFailed};
      taken += size;
      part = part.subspan(size);
    }
  }
  if (!flush()) return {State::kFailed};
  return {State::kOk, taken};
}

// Sends what was gathered and what is pending, as far as the socket takes it. False: the stream has failed.
bool Stream::flush() {
  if (!pending_.empty()) {
    pending_.insert(pending_.end(), gathered.begin(), gathered.end());
    gathered.clear();
    if (!writable_) return true;
  }
  const bool direct = pending_.empty();
  const char* at = direct ? gathered.data() : pending_.data() + sent_;
  std::size_t left = direct ? gathered.size() : pending_.size() - sent_;
  if (left > 0 && is_open()) {
    const ssize_t sent = ::send(socket_.native_handle(), at, left, MSG_NOSIGNAL);
    if (sent < 0 && !would_block()) {
      failed_ = true;
      gathered.clear();
      release_memory(pending_);
      sent_ = 0;
      return false;
    }
    const std::size_t gone = sent > 0 ? static_cast<std::size_t>(sent) : 0;
    at += gone;
    left -= gone;
    if (left > 0) writable_ = false;
    if (!direct) sent_ += gone;
  }
  if (left == 0) {
    release_memory(pending_);
    sent_ = 0;
  } else if (direct) {
    pending_.assign(at, at + left);
    sent_ = 0;
    hold();
  }
  gathered.clear();
  if (!pending_.empty()) watch_writable();
  if (pending_.empty() && shutdown_asked_ && !shutdown_sent_) {
    shutdown_sent_ = true;
    ::shutdown(socket_.native_handle(), SHUT_WR);
  }
  return true;
}

void Stream::hold() {
  if (!held_) held_ = Ref<StreamOwner>(&owner_);
}

void Stream::wait_readable() {
  if (wants_read_ || !is_open()) return;
  wants_read_ = true;
  hold();
  if (readable_ || decoded_ || failed_) {
    wake();
  } else {
    watch_readable();
  }
}

void Stream::wait_writable() {
  if (wants_write_ || !is_open()) return;
  wants_write_ = true;
  hold();
  if ((writable_ && pending_.empty()) || failed_) {
    wake();
  } else {
    watch_writable();
  }
}

void Stream::cancel_wait_readable() {
  wants_read_ = false;
  let_go();
}

// Has settle() called on the worker's next turn.
void Stream::wake() {
  if (wake_posted_) return;
  wake_posted_ = true;
  worker_.post([this, keep = Ref<StreamOwner>(&owner_)] {
    wake_posted_ = false;
    settle();
  });
}

void Stream::watch_readable() {
  if (watches_read_) return;
  watches_read_ = true;
  socket_.async_wait(Socket::wait_read, [this, keep = Ref<StreamOwner>(&owner_)](boost::system::error_code) {
    watches_read_ = false;
    if (!is_open()) return;
    readable_ = true;
    settle();
  });
}

void Stream::watch_writable() {
  if (watches_write_) return;
  watches_write_ = true;
  socket_.async_wait(Socket::wait_write, [this, keep = Ref<StreamOwner>(&owner_)](boost::system::error_code) {
    watches_write_ = false;
    if (!is_open()) return;
    writable_ = true;
    if (!pending_.empty()) (void)flush();
    settle();
  });
}

// Tells the owner what it waits for, if it is there. The caller holds a Ref to the owner.
void Stream::settle() {
  if (wants_write_ && ((writable_ && pending_.empty()) || failed_)) {
    wants_write_ = false;
    owner_.on_writable();
  }
  if (wants_read_ && (readable_ || decoded_ || failed_)) {
    wants_read_ = false;
    owner_.on_readable();
  }
  // The owner may have read or written in between, or the news may have been none: what is still waited for
  // must be watched, or nobody ever calls again.
  if (is_open() && wants_read_) watch_readable();
  if (is_open() && wants_write_) watch_writable();
  let_go();
}

void Stream::let_go() {
  if (!wants_read_ && !wants_write_ && pending_.empty()) held_.reset();
}

void Stream::shutdown_write() {
  if (shutdown_asked_ || !is_open()) return;
  shutdown_asked_ = true;
  if (failed_) return;
  if (ssl_ != nullptr && SSL_is_init_finished(ssl_.get()) != 0) {
    clear_errors();
    SSL_shutdown(ssl_.get());
  }
  (void)flush();
}

void Stream::close(bool reset) {
  if (!is_open()) return;
  const Ref<StreamOwner> keep = std::exchange(held_, nullptr);
  wants_read_ = wants_write_ = false;
  release_memory(pending_);
  sent_ = 0;
  if (reset) {
    const linger now{1, 0};
    ::setsockopt(socket_.native_handle(), SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }
  boost::system::error_code ignored;
  socket_.close(ignored);
  // An SSL holds several KiB, and the owner may live on in an exchange.
  ssl_.reset();
}

}  // namespace holdfast::net
