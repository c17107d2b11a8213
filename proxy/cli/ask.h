// One plain HTTP/1.1 GET to a listener of our own, probes or admin, over TCP or a UNIX socket: for commands.
// Blocks for as long as it takes, at most the time given.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::cli {

struct Place {
  std::string host;  // without brackets; empty: this machine
  std::uint16_t port = 0;
  std::optional<std::filesystem::path> socket = {};  // instead of both
};

struct Said {
  int status = 0;
  std::string body;  // at most 1 MiB
};

// `fields`: the lines of the head, Host among them, each ended by CRLF. The error is a sentence of the
// system.
[[nodiscard]] std::expected<Said, std::string> ask(const Place& place, std::string_view target,
                                                   std::string_view fields,
                                                   std::chrono::milliseconds patience);

}  // namespace holdfast::cli
