// What one listener is told: its own small struct, filled by assembly. Shared by all workers; immutable, but
// for the tally.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/ip_address.h"
#include "listener/client_tally.h"
#include "net/tls_server.h"
#include "pipeline/exchange.h"

namespace holdfast::listener {

struct Limits {
  std::size_t max_header_bytes = 64 * 1024;  // 431, or 414 where the target alone is too long
  std::size_t max_headers = 100;             // 431
  std::size_t max_connections = 10'000;      // of the process: beyond them accepting pauses
};

struct Timeouts {
  std::chrono::milliseconds handshake{10'000};
  std::chrono::milliseconds headers{10'000};       // for the whole head; 408
  std::chrono::milliseconds body_idle{60'000};     // between two pieces of a request's body; 408
  std::chrono::milliseconds idle{75'000};          // between two requests
  std::chrono::milliseconds stream_idle{300'000};  // an answer that is not taken, a gRPC call at rest
  std::chrono::milliseconds tunnel{3'600'000};     // a tunnel through which nothing moves, either way
};

// Where the route of an exchange says something else.
inline void set_from_route(Timeouts& timeouts, const pipeline::RouteTimeouts& route) {
  timeouts.body_idle = route.body_idle.value_or(timeouts.body_idle);
  timeouts.stream_idle = route.stream_idle.value_or(timeouts.stream_idle);
  timeouts.tunnel = route.tunnel.value_or(timeouts.tunnel);
}

// What may be spoken. On TLS the client's and the context's ALPN decide; a client without ALPN speaks HTTP/1.
struct Protocols {
  bool http1 = true;
  bool http2 = true;
};

struct Config {
  std::size_t index = 0;  // among the configuration's listeners
  std::string name;
  Limits limits;
  Timeouts timeouts;
  Protocols protocols;
  std::shared_ptr<const net::TlsServerContext> tls;  // nullptr: plain HTTP
  // Where every connection begins with a PROXY header (wire/proxy_protocol.h): who may send one. Connections
  // from elsewhere are closed, since whoever sends one chooses what client he is.
  std::optional<std::vector<http::Cidr>> proxies;
  std::shared_ptr<ClientTally> tally = std::make_shared<ClientTally>();
};

}  // namespace holdfast::listener
