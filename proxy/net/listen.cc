#include "net/listen.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace holdfast::net {

namespace {

struct AddrinfoFree {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

std::string shown(const ListenAddress& address) {
  const bool v6 = address.host.contains(':');
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::expected<Endpoint, std::string> resolve(const ListenAddress& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  const int error = getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &list);
  const std::unique_ptr<addrinfo, AddrinfoFree> owned(list);
  if (error != 0) return std::unexpected(shown(address) + ": " + gai_strerror(error));
  return Endpoint(list->ai_addr, list->ai_addrlen);
}

std::expected<Descriptor, std::string> bound(const Endpoint& endpoint, bool share) {
  Descriptor socket(::socket(endpoint.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) return std::unexpected(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  const int off = 0;
  ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (endpoint.family() == AF_INET6) {
    ::setsockopt(socket.fd(), IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
  }
  keep_alive(socket.fd());
  if (share) ::setsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  if (::bind(socket.fd(), endpoint.address(), endpoint.size()) != 0) {
    return std::unexpected(std::string(std::strerror(errno)));
  }
  return socket;
}

// All addresses: one IPv6 socket that takes IPv4 too, or IPv4 alone where the kernel has no IPv6.
Endpoint any_address(std::uint16_t port) {
  const Descriptor probe(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (probe) {
    const Endpoint any = *Endpoint::from("::", port);
    if (bound(*Endpoint::from("::", 0), false)) return any;
  }
  return *Endpoint::from("0.0.0.0", port);
}

}  // namespace

std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  const auto wrong = [&](const char* why) {
    return std::unexpected("\"" + std::string(text) + "\": " + why +
                           "; expected :PORT, HOST:PORT or [IPv6]:PORT");
  };
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port");
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    return wrong("the port is no number up to 65535");
  }
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return wrong("no closing bracket");
    host = host.substr(1, host.size() - 2);
    const auto literal = Endpoint::from(host, port);
    if (!literal || literal->family() != AF_INET6) return wrong("no IPv6 address in the brackets");
  } else if (host.contains(':')) {
    return wrong("an IPv6 address needs brackets");
  }
  return ListenAddress{std::string(host), port};
}

std::expected<Endpoint, std::string> resolve_listen_address(const ListenAddress& address) {
  if (address.host.empty()) return any_address(address.port);
  if (auto literal = Endpoint::from(address.host, address.port)) return *literal;
  return resolve(address);
}

std::expected<std::vector<Descriptor>, std::string> open_listening_sockets(const ListenAddress& address,
                                                                           std::size_t count) {
  auto resolved = resolve_listen_address(address);
  if (!resolved) return std::unexpected(resolved.error());
  const Endpoint& endpoint = *resolved;

  // Bound once without SO_REUSEPORT: only that tells whether somebody else listens here.
  if (auto alone = bound(endpoint, false); !alone) {
    return std::unexpected(shown(address) + ": " + alone.error());
  }
  auto sockets = bind_beside(endpoint, count);
  if (!sockets) return std::unexpected(shown(address) + ": " + sockets.error());
  for (const Descriptor& socket : *sockets) {
    const auto listening = begin_listening(socket.fd());
    if (!listening) return std::unexpected(shown(address) + ": " + listening.error());
  }
  return sockets;
}

std::expected<std::vector<Descriptor>, std::string> bind_beside(const Endpoint& at, std::size_t count) {
  Endpoint endpoint = at;
  std::vector<Descriptor> sockets;
  for (std::size_t i = 0; i < count; ++i) {
    auto socket = bound(endpoint, true);
    if (!socket) return std::unexpected(socket.error());
    endpoint.set_port(local_endpoint(*socket).port());
    sockets.push_back(std::move(*socket));
  }
  return sockets;
}

std::expected<void, std::string> begin_listening(int socket) {
  int listens = 0;
  socklen_t size = sizeof(listens);
  if (::getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0) return {};
  if (::listen(socket, SOMAXCONN) == 0) return {};
  return std::unexpected(std::string(std::strerror(errno)));
}

Endpoint local_endpoint(const Descriptor& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof(storage);
  ::getsockname(socket.fd(), reinterpret_cast<sockaddr*>(&storage), &size);
  return Endpoint(reinterpret_cast<const sockaddr*>(&storage), size);
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

}  // namespace holdfast::net
