#include "inherited_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/listen.h"

namespace holdfast {
namespace {

bool listens_at(const net::Descriptor& socket, const std::filesystem::path& path) {
  sockaddr_un name{};
  socklen_t size = sizeof(name);
  if (::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&name), &size) != 0) return false;
  return name.sun_family == AF_UNIX && path == std::string(name.sun_path);
}

bool shares_port(const net::Descriptor& socket) {
  int on = 0;
  socklen_t size = sizeof(on);
  return ::getsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &on, &size) == 0 && on != 0;
}

}  // namespace

template <typename Matches>
std::vector<InheritedSocket> InheritedSockets::take_if(std::string_view name, Matches matches) {
  std::vector<InheritedSocket> taken;
  std::erase_if(sockets_, [&](InheritedSocket& each) {
    if (!(each.by_name && each.name == name) && !matches(each.socket)) return false;
    taken.push_back(std::move(each));
    return true;
  });
  return taken;
}

std::vector<InheritedSocket> InheritedSockets::take(std::string_view name, const net::Endpoint& address) {
  return take_if(name, [&](const net::Descriptor& socket) {
    const net::Endpoint local = net::local_endpoint(socket);
    return (local.family() == AF_INET || local.family() == AF_INET6) && local == address;
  });
}

std::vector<InheritedSocket> InheritedSockets::take(std::string_view name,
                                                    const std::filesystem::path& path) {
  return take_if(name, [&](const net::Descriptor& socket) { return listens_at(socket, path); });
}

std::expected<std::vector<net::Descriptor>, std::string> spread(std::vector<net::Descriptor> sockets,
                                                                std::size_t workers) {
  const std::size_t given = sockets.size();
  if (shares_port(sockets.front())) {
    if (given >= workers) return sockets;
    auto more = net::bind_beside(net::local_endpoint(sockets.front()), workers - given);
    if (!more) return std::unexpected(more.error());
    for (net::Descriptor& socket : *more) sockets.push_back(std::move(socket));
    return sockets;
  }
  for (std::size_t i = given; i < workers; ++i) {
    net::Descriptor copy(::fcntl(sockets[i % given].fd(), F_DUPFD_CLOEXEC, 3));
    if (!copy) return std::unexpected(std::string("dup: ") + std::strerror(errno));
    sockets.push_back(std::move(copy));
  }
  return sockets;
}

}  // namespace holdfast
