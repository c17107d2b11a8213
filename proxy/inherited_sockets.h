// Listening sockets that another process opened: a predecessor's (predecessor.h), or the service manager's
// (LISTEN_FDS, sd_listen_fds(3)). Which listener each belongs to is told by its address, or by the name that
// an operator gave it. Start-up only; any thread.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/socket.h"

namespace holdfast {

struct InheritedSocket {
  std::string name;      // for the log; FileDescriptorName= where `by_name`
  bool by_name = false;  // the name counts, whatever the address
  bool kept = false;     // the service manager holds it, too: what waits in its queue is not lost with us
  net::Descriptor socket;
};

class InheritedSockets {
 public:
  InheritedSockets() = default;
  explicit InheritedSockets(std::vector<InheritedSocket> sockets) : sockets_(std::move(sockets)) {}

  // Those that listen on this address, or carry this name; they are the caller's from then on.
  [[nodiscard]] std::vector<InheritedSocket> take(std::string_view name, const net::Endpoint& address);
  [[nodiscard]] std::vector<InheritedSocket> take(std::string_view name, const std::filesystem::path& path);

  // What nobody has taken.
  [[nodiscard]] const std::vector<InheritedSocket>& left() const { return sockets_; }

 private:
  template <typename Matches>
  std::vector<InheritedSocket> take_if(std::string_view name, Matches matches);

  std::vector<InheritedSocket> sockets_;
};

// One socket for each of `workers`, of those inherited for an address. Where the kernel shares connections
// out between several sockets (SO_REUSEPORT), each has to be served, and more are bound beside them, as many
// as there are workers, which do not listen yet; a single one is shared by all.
[[nodiscard]] std::expected<std::vector<net::Descriptor>, std::string> spread(
    std::vector<net::Descriptor> sockets, std::size_t workers);

}  // namespace holdfast
