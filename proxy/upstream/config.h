// What the upstream side needs to know of one upstream. Made by assembly from the settings; immutable.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "net/tls_client.h"
#include "wire/http1.h"

namespace holdfast::upstream {

enum class Balance : std::uint8_t { kLeastRequest, kRoundRobin };

struct Server {
  std::string name;         // as configured, for log and metrics
  bool tls = false;         // then ALPN says which version of HTTP it speaks
  bool http2 = false;       // without tls: by prior knowledge (RFC 9113 3.3)
  std::string server_name;  // that the certificate must carry; with tls
  unsigned weight = 1;      // at least 1
};

struct Timeouts {
  std::chrono::milliseconds connect{
      2000};  // to be connected, TLS handshake and a wait for a free place included
  std::chrono::milliseconds response{60000};   // from the request sent to the response's head
  std::chrono::milliseconds body_idle{60000};  // without a byte of either body moving because of the backend
  std::chrono::milliseconds idle{4000};        // of a kept connection; below the 5 s that many servers grant
};

struct Config {
  std::string name;
  std::vector<Server> servers;
  Balance balance = Balance::kLeastRequest;
  Timeouts timeouts;
  std::uint32_t max_connections = 1024;  // of the process
  std::uint32_t queue = 1024;            // requests of the process that wait for a connection
  unsigned max_retries = 1;
  std::shared_ptr<const net::TlsClientContext> tls;  // where a server has tls
  wire::Limits limits;                               // of response heads
  std::uint32_t max_streams = 100;                   // on one HTTP/2 connection; its server may want fewer
};

}  // namespace holdfast::upstream
