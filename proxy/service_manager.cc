#include "service_manager.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace holdfast {
namespace {

constexpr int kFirst = 3;  // SD_LISTEN_FDS_START
constexpr long kMost = 4096;

long number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return -1;
  long number = -1;
  const char* const end = text + std::strlen(text);
  const auto parsed = std::from_chars(text, end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : -1;
}

bool listens(int fd) {
  int on = 0;
  int kind = 0;
  socklen_t size = sizeof(on);
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &size) == 0 && on != 0 &&
         ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &size) == 0 && kind == SOCK_STREAM;
}

}  // namespace

std::expected<std::vector<InheritedSocket>, std::string> take_listen_fds() {
  std::vector<InheritedSocket> sockets;
  const long count = number_in("LISTEN_FDS");
  // Meant for a parent of ours otherwise, and the numbers are files of our own.
  const bool ours = count > 0 && number_in("LISTEN_PID") == ::getpid();
  const char* const given = std::getenv("LISTEN_FDNAMES");
  std::string names = given == nullptr ? "" : given;
  ::unsetenv("LISTEN_FDS");
  ::unsetenv("LISTEN_PID");
  ::unsetenv("LISTEN_FDNAMES");
  if (!ours) return sockets;
  if (count > kMost) return std::unexpected("LISTEN_FDS: more than " + std::to_string(kMost) + " sockets");
  for (int fd = kFirst; fd < kFirst + count; ++fd) {
    const std::size_t colon = names.find(':');
    InheritedSocket socket{names.substr(0, colon), true, true, net::Descriptor(fd)};
    names.erase(0, colon == std::string::npos ? names.size() : colon + 1);
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || !listens(fd)) {
      return std::unexpected("LISTEN_FDS: descriptor " + std::to_string(fd) +
                             " is no listening stream socket (Accept=no, ListenStream=)");
    }
    ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    sockets.push_back(std::move(socket));
  }
  return sockets;
}

void notify_service_manager(std::string_view state) {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::size_t size = std::strlen(path);
  if (size == 0 || size >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@')) return;
  std::memcpy(address.sun_path, path, size);
  if (path[0] == '@') address.sun_path[0] = '\0';  // an abstract name
  const net::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
  ::sendto(socket.fd(), state.data(), state.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
           reinterpret_cast<const sockaddr*>(&address), length);
}

}  // namespace holdfast
