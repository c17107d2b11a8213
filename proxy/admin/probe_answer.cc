#include "admin/probe_answer.h"

#include <algorithm>
#include <utility>

namespace holdfast::admin {
namespace {

struct Check {
  std::string name;
  bool ok;
};

// One line a check, as Kubernetes's own probes print them.
PlainAnswer verdict(const std::vector<Check>& checks, bool verbose) {
  PlainAnswer answer;
  bool ok = true;
  for (const Check& check : checks) {
    ok = ok && check.ok;
    if (verbose)
      answer.body += (check.ok ? "[+] " : "[-] ") + check.name + (check.ok ? " ok\n" : " failed\n");
  }
  answer.status = ok ? 200 : 503;
  answer.body += ok ? "ok\n" : "not ok\n";
  return answer;
}

std::vector<Check> readiness(const ProbeState& state) {
  std::vector<Check> checks{{"started", state.started()},
                            {"not draining", !state.draining()},
                            {"replay store takes proofs", state.takes_proofs()}};
  for (IssuerReadiness& issuer : state.issuers()) {
    checks.push_back({"keys of issuer " + std::move(issuer.name), issuer.loaded});
  }
  return checks;
}

// `verbose`, or `verbose=...`, among the parameters of a query.
bool is_verbose(std::string_view query) {
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    if (parameter.substr(0, parameter.find('=')) == "verbose") return true;
    query.remove_prefix(std::min(parameter.size() + 1, query.size()));
  }
  return false;
}

}  // namespace

PlainAnswer answer_probe(std::string_view method, std::string_view target, const ProbeState& state) {
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  const bool verbose = is_verbose(target.substr(std::min(question + 1, target.size())));

  const bool known = path == "/livez" || path == "/readyz" || path == "/startupz" ||
                     (path == "/metrics" && state.has_metrics()) ||
                     (path == kAssertionKeysPath && !state.assertion_keys().empty());
  if (!known) return {.status = 404, .body = "not found\n", .allow = {}, .authenticate = {}};
  if (method != "GET" && method != "HEAD") {
    return {.status = 405, .body = "method not allowed\n", .allow = "GET, HEAD", .authenticate = {}};
  }
  if (path == "/livez") return verdict({{"workers", state.alive()}}, verbose);
  if (path == "/startupz") return verdict({{"started", state.started()}}, verbose);
  if (path == "/readyz") return verdict(readiness(state), verbose);
  if (path == kAssertionKeysPath) {
    return {
        .content_type = "application/json", .body = state.assertion_keys(), .allow = {}, .authenticate = {}};
  }
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
          .body = state.metrics(),
          .allow = {},
          .authenticate = {}};
}

}  // namespace holdfast::admin
