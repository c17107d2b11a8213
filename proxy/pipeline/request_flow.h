// The story of every request on one worker: match the route, gather evidence, find the issuer's key, verify
// token and proof, claim the replay entry, tell the backend who is calling, exchange with it. One per worker;
// all calls on its thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <unordered_set>

#include "base/time.h"
#include "identity/forwarding_fields.h"
#include "pipeline/assertion_signer.h"
#include "pipeline/fact_cache.h"
#include "pipeline/ports.h"
#include "pipeline/rules.h"
#include "pipeline/verifier.h"

namespace holdfast::pipeline {

// The world as the story needs it; everything outlives the flow and its exchanges.
struct FlowPorts {
  KeySource& keys;
  Introspector& introspector;
  ReplayStore& replay;
  Upstreams& upstreams;
  AccessLog& log;
  Alarms& alarms;
  Now (*now)();
  // The process has too much to do: every request that begins now is refused. nullptr: never.
  const std::atomic<bool>* overloaded = nullptr;
};

class Request;

class RequestFlow final : public RequestHandler {
 public:
  RequestFlow(FlowPorts ports, std::shared_ptr<const Rules> rules);

  [[nodiscard]] Ref<BackendStream> start(http::RequestHead head, const ConnectionFacts& connection,
                                         Ref<ClientStream> client) override;
  void refuse(Refusal refusal, std::uint16_t status, http::RequestHead head,
              const ConnectionFacts& connection, Ref<ClientStream> client) override;

  void close_tunnels() override;

  // Requests that begin from now on see these rules.
  void replace_rules(std::shared_ptr<const Rules> rules);

  [[nodiscard]] const std::shared_ptr<const Rules>& rules() const { return rules_; }
  [[nodiscard]] const FlowPorts& ports() const { return ports_; }
  [[nodiscard]] Verifier& verifier() { return verifier_; }
  // The signed identity of a verified request; a remembered one while it is young. Only where the rules of
  // the request have a signer.
  [[nodiscard]] Checked<std::shared_ptr<const SignedIdentity>> assertion_of(const Subject& subject,
                                                                            const Evidence& evidence,
                                                                            UnixTime now);
  // For request and trace ids; drawn in batches, since each draw costs as much as a small request.
  [[nodiscard]] identity::IdBytes random_ids();
  // A request that has become a WebSocket, until it is over.
  void add_tunnel(Request& request) { tunnels_.insert(&request); }
  void remove_tunnel(Request& request) { tunnels_.erase(&request); }

 private:
  FlowPorts ports_;
  std::shared_ptr<const Rules> rules_;
  Verifier verifier_;
  FactCache<SignedIdentity> assertions_;  // by token digest and audience
  std::string random_pool_;
  std::unordered_set<Request*> tunnels_;
};

}  // namespace holdfast::pipeline
