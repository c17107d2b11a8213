// Listening sockets: `:PORT` (all addresses, IPv6 and IPv4 on one socket), `HOST:PORT`, `[::1]:PORT`; one
// socket a worker on the same address through SO_REUSEPORT, so that the kernel spreads connections and no
// lock is shared. Start-up only; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "net/socket.h"

namespace holdfast::net {

struct ListenAddress {
  std::string host;  // empty: all addresses; an IPv6 literal without brackets
  std::uint16_t port = 0;
};

// address = [ host ] ":" port ; host = name / IPv4 / "[" IPv6 "]"
[[nodiscard]] std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);

// The endpoint to bind to: `::` for all addresses where the kernel has IPv6.
[[nodiscard]] std::expected<Endpoint, std::string> resolve_listen_address(const ListenAddress& address);

// `count` sockets listening on one address, non-blocking. Port 0 takes a free port, the same for all. An
// address that another process listens on is an error although SO_REUSEPORT would let us share it: half of
// the connections would silently go elsewhere.
[[nodiscard]] std::expected<std::vector<Descriptor>, std::string> open_listening_sockets(
    const ListenAddress& address, std::size_t count);

// `count` sockets bound to an address beside those that listen there already. They get connections from
// begin_listening() on, and until then none that nobody would accept.
[[nodiscard]] std::expected<std::vector<Descriptor>, std::string> bind_beside(const Endpoint& endpoint,
                                                                              std::size_t count);
// Does nothing to a socket that listens. The error is the system's word.
[[nodiscard]] std::expected<void, std::string> begin_listening(int socket);

// What a socket is bound to.
[[nodiscard]] Endpoint local_endpoint(const Descriptor& socket);

// Raises the soft limit on descriptors to the hard one; the limit that holds now.
std::size_t raise_descriptor_limit();

}  // namespace holdfast::net
