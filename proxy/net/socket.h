// What the other files of this folder share: Asio's socket on the concrete executor, a bare descriptor with
// an owner for what is handed from one thread or process to another, and the address of a TCP peer. Any
// thread; a descriptor belongs to one at a time, a socket to its worker.
#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace holdfast::net {

// The concrete executor everywhere: any_io_executor was a third of a proxy's own CPU time when measured.
using Executor = boost::asio::io_context::executor_type;
using Socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, Executor>;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { close(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void close();
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// An IPv4 or IPv6 address with a port.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(const sockaddr* address, socklen_t size);
  // `ip`: an address literal, IPv6 without brackets.
  [[nodiscard]] static std::expected<Endpoint, std::string> from(std::string_view ip, std::uint16_t port);

  [[nodiscard]] const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  [[nodiscard]] socklen_t size() const { return size_; }
  [[nodiscard]] boost::asio::ip::tcp::endpoint tcp() const;
  [[nodiscard]] int family() const { return storage_.ss_family; }
  [[nodiscard]] std::uint16_t port() const;
  void set_port(std::uint16_t port);
  // The address as text without port; an IPv4 address mapped into IPv6 is written as IPv4.
  [[nodiscard]] std::string ip() const;
  // IP:PORT, [IP]:PORT.
  [[nodiscard]] std::string text() const;
  // IPv6, or IPv4 mapped into it.
  [[nodiscard]] std::array<std::uint8_t, 16> bytes() const;
  [[nodiscard]] bool loopback() const;

  friend bool operator==(const Endpoint& a, const Endpoint& b) {
    return a.bytes() == b.bytes() && a.port() == b.port();
  }

 private:
  sockaddr_storage storage_{};
  socklen_t size_ = 0;
};

// Has the kernel ask a peer that has been silent for a minute whether it is still there, and give it up after
// another: a request that waits for nothing but time would never notice. Of a listening socket it goes to
// every socket accepted on it.
void keep_alive(int fd);

}  // namespace holdfast::net
