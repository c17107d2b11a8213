// The PROXY protocol's header, version 2 (HAProxy's proxy-protocol.txt, 2.2), with which a proxy of TCP says
// whose connection it passes on:
//
//   header    = signature(12) %x2 command(4 bits) family(1) length(2) address *( TLV )
//   command   = 0 LOCAL / 1 PROXY            LOCAL: the proxy itself, as in a health check
//   family    = %x11 TCP over IPv4 / %x21 TCP over IPv6
//   address   = source destination source-port destination-port
//
// What is more than that (version 1, UDP, Unix sockets, an unknown address behind PROXY) is refused. TLVs are
// skipped. Whoever may send such a header is trusted to name any client, so that is the caller's to decide.
// Bytes in, no socket; it never asks for a byte that follows the header. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "http/ip_address.h"

namespace holdfast::wire {

class ProxyHeaderDecoder {
 public:
  // Of address and TLVs; real ones have some hundred bytes.
  static constexpr std::size_t kMaxLength = 4096;

  enum class State : std::uint8_t { kNeedMore, kDone, kFault };

  // How many bytes may be fed now. More could belong to what follows.
  [[nodiscard]] std::size_t wanted() const { return wanted_; }
  // At most wanted() bytes.
  [[nodiscard]] State feed(std::span<const char> bytes);

  // After kDone. nullopt: LOCAL, so the connection's own peer is the client.
  [[nodiscard]] const std::optional<http::IpAddress>& source() const { return source_; }

 private:
  static constexpr std::size_t kFixed = 16;
  static constexpr std::size_t kAddresses = 36;  // the longer kind

  [[nodiscard]] State read_fixed();
  [[nodiscard]] State read_addresses();

  std::array<unsigned char, kFixed + kAddresses> kept_{};
  std::size_t read_ = 0;  // of the whole header
  std::size_t wanted_ = kFixed;
  std::size_t size_ = 0;  // of the whole header, once the fixed part says so
  std::optional<http::IpAddress> source_;
};

}  // namespace holdfast::wire
