#include "net/frame_link.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/posix/descriptor_base.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::net {
namespace {

enum class Got { kFrame, kNothing, kEnd };

// One message, without waiting. Everything that is not one is the end: the other side is this program, too.
Got receive(int fd, Frame& frame) {
  std::string bytes(1 + Frame::kMaxPayload, '\0');
  iovec vector{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int) * Frame::kMaxDescriptors)> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Got::kNothing;
  if (size <= 0) return Got::kEnd;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int passed = -1;
      std::memcpy(&passed, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      frame.descriptors.emplace_back(passed);
    }
  }
  if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) return Got::kEnd;
  frame.type = static_cast<std::uint8_t>(bytes.front());
  frame.payload.assign(bytes, 1, static_cast<std::size_t>(size) - 1);
  return Got::kFrame;
}

ssize_t send_message(int fd, std::string& bytes, int passed, int flags) {
  iovec vector{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  if (passed >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* const part = CMSG_FIRSTHDR(&message);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(part), &passed, sizeof(int));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(fd, &message, flags | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent;
}

}  // namespace

FrameLink::FrameLink(boost::asio::io_context& io, Descriptor socket) : socket_(io, socket.release()) {}

void FrameLink::start(std::function<void(Frame)> on_frame, std::function<void()> on_closed) {
  on_frame_ = std::move(on_frame);
  on_closed_ = std::move(on_closed);
  wait_readable();
}

void FrameLink::wait_readable() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](boost::system::error_code error) {
    if (error || !self->socket_.is_open()) return;
    // A few at a time: other work waits on this thread.
    for (int i = 0; i < 64; ++i) {
      Frame frame;
      const Got got = receive(self->socket_.native_handle(), frame);
      if (got == Got::kNothing) break;
      if (got == Got::kEnd) return self->end();
      self->on_frame_(std::move(frame));
      if (!self->socket_.is_open()) return;
    }
    self->wait_readable();
  });
}

void FrameLink::send(std::uint8_t type, std::string payload, int passed) {
  if (!socket_.is_open()) return;
  payload.insert(payload.begin(), static_cast<char>(type));
  queue_.push_back({std::move(payload), Descriptor(passed < 0 ? -1 : ::fcntl(passed, F_DUPFD_CLOEXEC, 3))});
  if (!writing_) flush();
}

void FrameLink::flush() {
  while (!queue_.empty()) {
    Queued& next = queue_.front();
    const ssize_t sent = send_message(socket_.native_handle(), next.bytes, next.passed.fd(), MSG_DONTWAIT);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return wait_writable();
    // Broken: the reading side finds the end, after what the other had sent before it went.
    if (sent < 0) return queue_.clear();
    queue_.pop_front();
  }
}

void FrameLink::wait_writable() {
  writing_ = true;
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](boost::system::error_code error) {
    self->writing_ = false;
    if (!error && self->socket_.is_open()) self->flush();
  });
}

void FrameLink::end() {
  const auto told = std::exchange(on_closed_, nullptr);
  close();
  if (told) told();
}

void FrameLink::close() {
  boost::system::error_code ignored;
  socket_.close(ignored);
  queue_.clear();
  // What they hold may hold this.
  on_closed_ = nullptr;
}

std::expected<void, std::string> send_frame(const Descriptor& socket, std::uint8_t type,
                                            std::string_view payload) {
  std::string bytes(1, static_cast<char>(type));
  bytes += payload;
  if (send_message(socket.fd(), bytes, -1, 0) < 0) return std::unexpected(std::string(std::strerror(errno)));
  return {};
}

std::expected<Frame, std::string> receive_frame(const Descriptor& socket,
                                                std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    Frame frame;
    switch (receive(socket.fd(), frame)) {
      case Got::kFrame:
        return frame;
      case Got::kEnd:
        return std::unexpected("the other process closed the connection");
      case Got::kNothing:
        break;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::unexpected("the other process does not answer");
    pollfd readable{socket.fd(), POLLIN, 0};
    ::poll(&readable, 1, static_cast<int>(left.count()));
  }
}

}  // namespace holdfast::net
