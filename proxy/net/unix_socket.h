// Sockets at a path of the file system, for this user's processes only: the path is made with mode
// 0600, and who connects is asked for by the kernel's word (SO_PEERCRED, unix(7)). Start-up only; any thread.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "net/socket.h"

namespace holdfast::net {

// How bytes travel: as a stream, or as messages (frame_link.h).
enum class UnixKind : std::uint8_t { kStream, kMessages };

// A listening socket, non-blocking. A path that a process left behind is taken over; one on which a process
// listens, or that is no socket, is an error.
[[nodiscard]] std::expected<Descriptor, std::string> listen_unix(const std::filesystem::path& path,
                                                                 UnixKind kind = UnixKind::kStream);

// A connected socket, blocking; no descriptor where nobody listens there.
[[nodiscard]] std::expected<Descriptor, std::string> connect_unix(const std::filesystem::path& path,
                                                                  UnixKind kind = UnixKind::kStream);

// Whether the process at the other end runs as the same user as this one.
[[nodiscard]] bool peer_is_this_user(const Descriptor& socket);

}  // namespace holdfast::net
