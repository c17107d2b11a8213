// Blocking loopback sockets with deadlines, plain and TLS, that send exactly the bytes they are given.
// A Stream belongs to one thread at a time; shutdown_both() alone may be called from another, to end its
// reads.
#pragma once

#include <openssl/ssl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::support {

using Milliseconds = std::chrono::milliseconds;

// How long a test waits for bytes that must come. Sanitizers and a busy machine are slow; a pass never waits
// this long.
inline constexpr Milliseconds kPatience{20000};

class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket();

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

// A port of 127.0.0.1 that nobody listens on, outside the kernel's ephemeral range; never the same twice in a
// process.
[[nodiscard]] std::uint16_t free_port();
[[nodiscard]] Socket listen_loopback(std::uint16_t port);  // 0: any
[[nodiscard]] std::uint16_t local_port(const Socket& socket);

struct TlsOptions {
  std::string server_name = "localhost";
  std::string alpn{};   // wire format; empty: none offered
  int min_version = 0;  // TLS1_2_VERSION and so on; 0: library default
  int max_version = 0;
  std::string ciphersuites{};  // TLS 1.3 suites; empty: library default
  std::string certificate{};   // paths of PEM files; empty: no client certificate
  std::string key{};
  std::shared_ptr<SSL_SESSION> session{};  // to resume
  std::string before{};                    // sent in the open before the handshake
};

enum class ReadResult { kBytes, kEnd, kReset, kTimeout };

class Stream {
 public:
  static Stream plain(std::uint16_t port);
  static Stream tls(std::uint16_t port, const TlsOptions& options = {});
  static Stream accepted(Socket socket);

  Stream(Stream&&) = default;
  Stream& operator=(Stream&&) = default;

  // False when the peer has closed or reset.
  bool send(std::string_view bytes);
  // Appends to `buffer` what arrives first.
  ReadResult read_some(std::string& buffer, Milliseconds patience = kPatience);
  void shutdown_send();  // TCP FIN; under TLS close_notify first
  void shutdown_both();
  void reset();  // RST: no lingering
  [[nodiscard]] std::string tls_version() const;
  [[nodiscard]] std::string alpn_selected() const;
  // DER of the certificate that the server showed, and what to resume by: a ticket comes with the first bytes
  // that are read.
  [[nodiscard]] std::string server_certificate() const;
  [[nodiscard]] std::shared_ptr<SSL_SESSION> session() const;
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] int fd() const { return socket_.fd(); }

 private:
  explicit Stream(Socket socket) : socket_(std::move(socket)) {}

  struct SslFree {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  Socket socket_;
  std::unique_ptr<SSL, SslFree> ssl_;
};

}  // namespace holdfast::support
