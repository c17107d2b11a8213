// Messages between two processes of one user over a SOCK_SEQPACKET socket (unix(7)): a type, bytes, and
// descriptors that are passed along (SCM_RIGHTS). A message arrives whole or not at all.
//
//   message = type (1) payload (at most kMaxPayload)
//
// FrameLink: one io_context's thread. The two functions below it block, for what happens before there is one.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <chrono>
#include <cstdint>
#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket.h"

namespace holdfast::net {

struct Frame {
  // Well below what a socket's buffer takes (net.core.wmem_default, 208 KiB).
  static constexpr std::size_t kMaxPayload = 48 * 1024;
  static constexpr std::size_t kMaxDescriptors = 16;

  std::uint8_t type = 0;
  std::string payload;
  std::vector<Descriptor> descriptors;
};

class FrameLink : public std::enable_shared_from_this<FrameLink> {
 public:
  // `socket` is connected. Made by std::make_shared.
  FrameLink(boost::asio::io_context& io, Descriptor socket);

  // `on_frame` for each message, `on_closed` once, when the other side has closed or broke the rules; neither
  // after close(), and neither from inside a call of the owner's.
  void start(std::function<void(Frame)> on_frame, std::function<void()> on_closed);
  // Sent in order, as the socket takes them. `passed`, if any, stays the caller's: a copy of it goes.
  void send(std::uint8_t type, std::string payload, int passed = -1);
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }
  // What is queued is lost.
  void close();

 private:
  using Socket = boost::asio::posix::basic_stream_descriptor<Executor>;

  void wait_readable();
  void wait_writable();
  void flush();
  void end();

  Socket socket_;
  struct Queued {
    std::string bytes;
    Descriptor passed;
  };
  std::deque<Queued> queue_;
  std::function<void(Frame)> on_frame_;
  std::function<void()> on_closed_;
  bool writing_ = false;
};

// Blocking, each at most `patience`. The error is a sentence.
[[nodiscard]] std::expected<void, std::string> send_frame(const Descriptor& socket, std::uint8_t type,
                                                          std::string_view payload);
[[nodiscard]] std::expected<Frame, std::string> receive_frame(const Descriptor& socket,
                                                              std::chrono::milliseconds patience);

}  // namespace holdfast::net
