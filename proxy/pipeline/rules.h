// One configuration, compiled for the request's story: immutable, made by assembly, shared by all workers. A
// request pins the rules that it began with, so a reload never changes the ground under it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "answer/answer.h"
#include "answer/resource_metadata.h"
#include "base/time.h"
#include "dpop/nonce.h"
#include "dpop/window.h"
#include "identity/header_plan.h"
#include "jose/algorithm.h"
#include "pipeline/assertion_signer.h"
#include "pipeline/exchange.h"
#include "policy/cors.h"
#include "policy/origin.h"
#include "policy/route_table.h"
#include "token/verify.h"

namespace holdfast::pipeline {

struct ListenerRules {
  std::string name;
  policy::OriginRules origin;
  answer::ResourceTable resources;
  std::uint64_t max_body = std::numeric_limits<std::uint64_t>::max();  // bytes of a request's; 413
};

// What stands beside a policy::Route, at its index.
struct RouteLinks {
  std::vector<std::size_t> issuers;  // indexes into Rules::issuers that this route trusts
  std::size_t upstream = 0;          // the upstream's number for Upstreams; unused on a denied route
  bool nonce_required = false;
  bool close_at_expiry = false;
  std::shared_ptr<const policy::CorsRules> cors;  // nullptr: its backend's business
  std::optional<std::uint64_t> max_body;          // where it is not the listener's
  RouteTimeouts timeouts;
  std::string assertion_audience;  // who the signed identity is for, where there is one
};

struct ProofRules {
  jose::AlgorithmSet algorithms = jose::AlgorithmSet::all();
  dpop::Window window;
};

struct Rules {
  std::uint64_t number = 0;  // among those of this process: Account::rules
  std::vector<ListenerRules> listeners;
  policy::RouteTable routes;
  std::vector<RouteLinks> links;
  std::vector<token::IssuerRules> issuers;
  std::vector<std::size_t> issuer_numbers;  // each one's number for KeySource
  ProofRules proof;
  std::shared_ptr<const policy::CorsRules> cors;    // where no route is known
  bool has_cors = false;                            // somewhere
  std::shared_ptr<const dpop::NonceIssuer> nonces;  // nullptr: no route requires one
  identity::HeaderPlan headers;
  std::shared_ptr<const AssertionSigner> assertions;  // nullptr: backends get none
  answer::AnswerSettings answers;
};

}  // namespace holdfast::pipeline
