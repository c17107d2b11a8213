// The probes' listener: /livez, /readyz, /startupz, /metrics and the keys of signed identities over plain
// HTTP/1.1, read-only, never a secret. It is open to the cluster's network, so it is small and bounded
// (plain_server.h). What the answers are is decided in probe_answer.h. Control thread only.
#pragma once

#include <boost/asio/io_context.hpp>
#include <vector>

#include "admin/plain_server.h"
#include "admin/probe_answer.h"
#include "net/socket.h"

namespace holdfast::admin {

class Probes {
 public:
  // Serves on `listening` at once. `state` is asked at every request, on the control thread, and outlives the
  // probes.
  Probes(boost::asio::io_context& control, std::vector<net::Descriptor> listening, const ProbeState& state);

  // Stops listening; the destructor does too.
  void stop() { server_.stop(); }

 private:
  PlainServer server_;
};

}  // namespace holdfast::admin
