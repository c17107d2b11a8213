// What the probes answer (the contract's "Listeners of our own"): a pure function of the request's method and
// target and of the process's state. Never the backend's health: a pod that is taken out because its backend
// stumbles cannot recover it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "admin/plain_server.h"

namespace holdfast::admin {

struct IssuerReadiness {
  std::string name;
  bool loaded = false;  // its keys were loaded once
};

// The state that the probes report.
class ProbeState {
 public:
  [[nodiscard]] virtual bool started() const = 0;  // configuration loaded and sockets bound
  [[nodiscard]] virtual bool alive() const = 0;    // every worker ticked within 10 s (heartbeats.h)
  [[nodiscard]] virtual bool draining() const = 0;
  [[nodiscard]] virtual std::vector<IssuerReadiness> issuers() const = 0;
  // A proof made now counts. In the second in which its replay store was born a process refuses all of them,
  // since most clients write whole seconds into `iat` and such a proof may be from before.
  [[nodiscard]] virtual bool takes_proofs() const = 0;
  // Prometheus text, where there is a /metrics.
  [[nodiscard]] virtual bool has_metrics() const { return false; }
  [[nodiscard]] virtual std::string metrics() const { return {}; }
  // The JWK set that signed identities are checked with, where they are signed; else empty.
  [[nodiscard]] virtual std::string assertion_keys() const { return {}; }

 protected:
  ~ProbeState() = default;
};

// Where backends find those keys.
inline constexpr std::string_view kAssertionKeysPath = "/.well-known/jwks.json";

[[nodiscard]] PlainAnswer answer_probe(std::string_view method, std::string_view target,
                                       const ProbeState& state);

}  // namespace holdfast::admin
