// See socket.h. A connect that fails throws std::system_error: whether a listener refuses is asked with that.
#include "support/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace holdfast::support {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

Socket dial(std::uint16_t port) {
  // A peer that closes first must show as a failed write, not end the test program.
  static const bool ignored = std::signal(SIGPIPE, SIG_IGN) != SIG_ERR;
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = loopback(port);
  if (!ignored || !socket.open() ||
      ::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

bool readable(int fd, Milliseconds patience) {
  pollfd entry{fd, POLLIN, 0};
  int ready = 0;
  do {
    ready = ::poll(&entry, 1, static_cast<int>(patience.count()));
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

Socket::~Socket() {
  close();
}

void Socket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

std::uint16_t free_port() {
  // Programs that run side by side start far apart, and outside the range that outgoing connections are
  // given.
  static std::atomic<unsigned> next{static_cast<unsigned>(::getpid()) * 509U};
  for (int attempt = 0; attempt < 2000; ++attempt) {
    const auto port = static_cast<std::uint16_t>(11000 + next++ % 20000);
    const Socket probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(port);
    if (::bind(probe.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return port;
  }
  throw std::runtime_error("no free port");
}

Socket listen_loopback(std::uint16_t port) {
  Socket socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const sockaddr_in address = loopback(port);
  if (::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) fail("bind");
  if (::listen(socket.fd(), 4096) != 0) fail("listen");
  return socket;
}

std::uint16_t local_port(const Socket& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) fail("getsockname");
  return ntohs(address.sin_port);
}

Stream Stream::plain(std::uint16_t port) {
  return Stream(dial(port));
}

Stream Stream::accepted(Socket socket) {
  const int on = 1;
  ::setsockopt(socket.fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Stream(std::move(socket));
}

Stream Stream::tls(std::uint16_t port, const TlsOptions& options) {
  Stream stream(dial(port));
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  SSL_CTX_free);
  if (options.min_version != 0) SSL_CTX_set_min_proto_version(context.get(), options.min_version);
  if (options.max_version != 0) SSL_CTX_set_max_proto_version(context.get(), options.max_version);
  if (!options.ciphersuites.empty()) SSL_CTX_set_ciphersuites(context.get(), options.ciphersuites.c_str());
  if (!options.certificate.empty() &&
      (SSL_CTX_use_certificate_chain_file(context.get(), options.certificate.c_str()) != 1 ||
       SSL_CTX_use_PrivateKey_file(context.get(), options.key.c_str(), SSL_FILETYPE_PEM) != 1)) {
    throw std::runtime_error("client certificate " + options.certificate);
  }
  stream.ssl_.reset(SSL_new(context.get()));
  if (options.session) SSL_set_session(stream.ssl_.get(), options.session.get());
  if (::send(stream.fd(), options.before.data(), options.before.size(), MSG_NOSIGNAL) < 0) fail("send");
  SSL_set_fd(stream.ssl_.get(), stream.fd());
  SSL_set_tlsext_host_name(stream.ssl_.get(), options.server_name.c_str());
  if (!options.alpn.empty()) {
    SSL_set_alpn_protos(stream.ssl_.get(), reinterpret_cast<const unsigned char*>(options.alpn.data()),
                        static_cast<unsigned>(options.alpn.size()));
  }
  ERR_clear_error();
  if (SSL_connect(stream.ssl_.get()) != 1) {
    char text[256] = "connection closed";
    if (const unsigned long code = ERR_get_error(); code != 0) ERR_error_string_n(code, text, sizeof text);
    throw std::runtime_error(std::string("TLS handshake: ") + text);
  }
  return stream;
}

bool Stream::send(std::string_view bytes) {
  while (!bytes.empty()) {
    ssize_t sent = 0;
    if (ssl_) {
      ERR_clear_error();
      std::size_t written = 0;
      if (SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written) != 1) return false;
      sent = static_cast<ssize_t>(written);
    } else {
      sent = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) return false;
    }
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

ReadResult Stream::read_some(std::string& buffer, Milliseconds patience) {
  char chunk[65536];
  const auto deadline = std::chrono::steady_clock::now() + patience;
  for (;;) {
    const auto left = std::chrono::duration_cast<Milliseconds>(deadline - std::chrono::steady_clock::now());
    if (!(ssl_ && SSL_pending(ssl_.get()) > 0) && !readable(socket_.fd(), std::max(left, Milliseconds{0}))) {
      return ReadResult::kTimeout;
    }
    if (!ssl_) {
      const ssize_t got = ::recv(socket_.fd(), chunk, sizeof chunk, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return ReadResult::kReset;
      if (got == 0) return ReadResult::kEnd;
      buffer.append(chunk, static_cast<std::size_t>(got));
      return ReadResult::kBytes;
    }
    ERR_clear_error();
    std::size_t got = 0;
    // Without SSL_MODE_AUTO_RETRY a session ticket does not make the read wait past its deadline.
    SSL_clear_mode(ssl_.get(), SSL_MODE_AUTO_RETRY);
    if (SSL_read_ex(ssl_.get(), chunk, sizeof chunk, &got) == 1) {
      buffer.append(chunk, got);
      return ReadResult::kBytes;
    }
    const int error = SSL_get_error(ssl_.get(), 0);
    if (error == SSL_ERROR_WANT_READ) continue;
    return error == SSL_ERROR_ZERO_RETURN ? ReadResult::kEnd : ReadResult::kReset;
  }
}

void Stream::shutdown_send() {
  if (ssl_) SSL_shutdown(ssl_.get());
  ::shutdown(socket_.fd(), SHUT_WR);
}

void Stream::shutdown_both() {
  ::shutdown(socket_.fd(), SHUT_RDWR);
}

void Stream::reset() {
  const linger abort{1, 0};
  ::setsockopt(socket_.fd(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
  ssl_.reset();
  socket_.close();
}

std::string Stream::tls_version() const {
  return ssl_ ? SSL_get_version(ssl_.get()) : "";
}

std::string Stream::server_certificate() const {
  unsigned char* der = nullptr;
  const int size = i2d_X509(SSL_get0_peer_certificate(ssl_.get()), &der);
  if (size <= 0) return "";
  const std::string bytes(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  return bytes;
}

std::shared_ptr<SSL_SESSION> Stream::session() const {
  return {SSL_get1_session(ssl_.get()), SSL_SESSION_free};
}

bool Stream::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

std::string Stream::alpn_selected() const {
  const unsigned char* name = nullptr;
  unsigned size = 0;
  if (ssl_) SSL_get0_alpn_selected(ssl_.get(), &name, &size);
  return name == nullptr ? "" : std::string(reinterpret_cast<const char*>(name), size);
}

}  // namespace holdfast::support
