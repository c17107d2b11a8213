// The probes' listener: /livez, /readyz, /startupz and /metrics over plain HTTP/1.1, read-only, never a
// secret. It is open to the cluster's network, so it is small and bounded: few connections, a short head, a
// short time, one request a connection. What the answers are is decided in probe_answer.h. Control thread
// only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <vector>

#include "admin/probe_answer.h"

namespace holdfast::admin {

class Probes {
 public:
  // Listens on `endpoints` at once; throws boost::system::system_error where that fails. `state` is asked at
  // every request, on the control thread, and outlives the probes.
  Probes(boost::asio::io_context& control, const std::vector<boost::asio::ip::tcp::endpoint>& endpoints,
         const ProbeState& state);
  ~Probes();
  Probes(const Probes&) = delete;
  Probes& operator=(const Probes&) = delete;

  // Closes everything; the destructor does too.
  void stop();
  // The port of the first endpoint, where 0 was asked for.
  [[nodiscard]] unsigned short port() const;

 private:
  class Listener;
  std::vector<std::shared_ptr<Listener>> listeners_;
};

}  // namespace holdfast::admin
