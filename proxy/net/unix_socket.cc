#include "net/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace holdfast::net {
namespace {

std::expected<sockaddr_un, std::string> address_of(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string& text = path.native();
  if (text.empty() || text.size() >= sizeof(address.sun_path)) {
    return std::unexpected(text + ": too long for a socket");
  }
  text.copy(address.sun_path, text.size());
  return address;
}

int type_of(UnixKind kind) {
  return kind == UnixKind::kStream ? SOCK_STREAM : SOCK_SEQPACKET;
}

std::unexpected<std::string> failed(const std::filesystem::path& path) {
  return std::unexpected(path.string() + ": " + std::strerror(errno));
}

}  // namespace

std::expected<Descriptor, std::string> connect_unix(const std::filesystem::path& path, UnixKind kind) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  Descriptor socket(::socket(AF_UNIX, type_of(kind) | SOCK_CLOEXEC, 0));
  if (!socket) return failed(path);
  if (::connect(socket.fd(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address)) == 0) {
    return socket;
  }
  if (errno == ENOENT || errno == ECONNREFUSED) return Descriptor();
  return failed(path);
}

std::expected<Descriptor, std::string> listen_unix(const std::filesystem::path& path, UnixKind kind) {
  const auto address = address_of(path);
  if (!address) return std::unexpected(address.error());
  auto other = connect_unix(path, kind);
  if (!other) return std::unexpected(other.error());
  if (*other) return std::unexpected(path.string() + ": another process listens there");
  struct stat status{};
  if (::lstat(path.c_str(), &status) == 0) {
    if (!S_ISSOCK(status.st_mode)) return std::unexpected(path.string() + ": is there and is no socket");
    ::unlink(path.c_str());
  }
  Descriptor socket(::socket(AF_UNIX, type_of(kind) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return failed(path);
  // Before anybody can connect: chmod() after bind() would leave a moment.
  const mode_t before = ::umask(0177);
  const int bound = ::bind(socket.fd(), reinterpret_cast<const sockaddr*>(&*address), sizeof(*address));
  ::umask(before);
  if (bound != 0 || ::listen(socket.fd(), SOMAXCONN) != 0) return failed(path);
  return socket;
}

bool peer_is_this_user(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  return ::getsockopt(socket.fd(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == ::geteuid();
}

}  // namespace holdfast::net
