// holdfast_load: the benchmark's own programs in one. `issuer` serves discovery and a JWK set; `run` measures
// a server under load; `idle` measures what resting TLS connections hold; `verify` measures one ES256
// verification. Each prints one line of JSON, which bench/side_by_side.py puts into a table.
#include <CLI/CLI.hpp>

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "connections.h"
#include "requests.h"
#include "server_cost.h"
#include "support/http_server.h"
#include "support/jose_signer.h"
#include "verify_cost.h"

namespace holdfast::bench {
namespace {

struct Target {
  std::uint16_t port = 8443;
  std::size_t connections = 64;
  std::string host = "localhost";
  std::string path = "/";
  std::vector<int> pids;
};

int serve_issuer(std::uint16_t port, const std::string& alg, const std::string& kid,
                 const std::string& key_file) {
  const auto key = support::SigningKey::generate(alg);
  key.write_pem(key_file);
  const std::string jwk = key.public_jwk();
  const std::string set = R"({"keys":[)" + jwk.substr(0, jwk.size() - 1) + R"(,"use":"sig","kid":")" + kid +
                          R"(","alg":")" + alg + R"("}]})";
  support::HttpServer server(port);
  const std::string discovery =
      support::Members{}.text("issuer", server.url()).text("jwks_uri", server.url() + "/jwks").json();
  server.on_request([&](support::Exchange& exchange) {
    const bool keys = exchange.request.target == "/jwks";
    exchange.respond(200, "Content-Type: application/json\r\n", keys ? set : discovery);
  });
  std::printf("{\"issuer\":\"%s\"}\n", server.url().c_str());
  std::fflush(stdout);
  for (;;) ::pause();
}

int measure(const Target& target, const DpopPlan& plan, bool dpop, std::size_t count,
            std::chrono::microseconds every) {
  const std::string plain = plain_request(target.host, target.path);
  const auto proofs =
      dpop ? dpop_requests(plan, target.host, target.path, count) : std::vector<std::string>{};
  Connections connections(target.port, target.connections, target.host);
  std::size_t sent = 0;
  const std::uint64_t cpu_before = cpu_nanoseconds(target.pids);
  const auto began = std::chrono::steady_clock::now();
  const auto next = [&]() -> std::string_view {
    if (sent == count) return {};
    ++sent;
    return dpop ? proofs[sent - 1] : plain;
  };
  Outcome outcome = every.count() > 0 ? connections.paced(next, every) : connections.run(next);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began;
  const std::uint64_t cpu = cpu_nanoseconds(target.pids) - cpu_before;
  std::string statuses;
  for (const auto& [status, times] : outcome.by_status) {
    statuses += (statuses.empty() ? "\"" : ",\"") + std::to_string(status) + "\":" + std::to_string(times);
  }
  const auto answered = static_cast<double>(outcome.answered());
  std::printf(
      "{\"requests\":%zu,\"statuses\":{%s},\"broken\":%llu,\"seconds\":%.3f,\"per_second\":%.0f,"
      "\"cpu_us\":%.3f,\"p50_us\":%u,\"p99_us\":%u}\n",
      outcome.microseconds.size(), statuses.c_str(), static_cast<unsigned long long>(outcome.broken),
      seconds.count(), answered / seconds.count(), static_cast<double>(cpu) / 1000.0 / answered,
      outcome.percentile(0.5), outcome.percentile(0.99));
  return outcome.broken == 0 && outcome.by_status.size() == 1 && outcome.by_status.contains(200) ? 0 : 1;
}

int measure_idle(const Target& target) {
  const std::string request = plain_request(target.host, target.path);
  const std::uint64_t before = resident_bytes(target.pids);
  Connections connections(target.port, target.connections, target.host);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const std::uint64_t after_handshake = resident_bytes(target.pids);
  const Outcome outcome = connections.once_each(request);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const std::uint64_t after_request = resident_bytes(target.pids);
  const Outcome peak = connections.all_at_once(request);
  std::this_thread::sleep_for(std::chrono::seconds(1));
  const std::uint64_t after_peak = resident_bytes(target.pids);
  const auto broken = static_cast<unsigned long long>(outcome.broken + peak.broken);
  const auto share = [&](std::uint64_t after) {
    return (static_cast<double>(after) - static_cast<double>(before)) /
           static_cast<double>(target.connections) / 1024;
  };
  std::printf(
      "{\"connections\":%zu,\"broken\":%llu,\"kib_after_handshake\":%.2f,\"kib_after_request\":%.2f,"
      "\"kib_after_peak\":%.2f}\n",
      target.connections, broken, share(after_handshake), share(after_request), share(after_peak));
  return broken == 0 ? 0 : 1;
}

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast::bench;
  CLI::App app("Holdfast's load generator");
  app.require_subcommand(1);
  std::uint16_t issuer_port = 0;
  Target target;
  DpopPlan plan{"", "issuer.pem", "RS256", "bench", "bench-api", 100};
  std::size_t count = 20000;
  std::size_t rounds = 5000;
  std::size_t every = 0;
  bool dpop = false;

  auto* issuer = app.add_subcommand("issuer", "serve discovery and keys until killed");
  issuer->add_option("--port", issuer_port)->required();
  auto* run = app.add_subcommand("run", "send requests and measure");
  auto* idle = app.add_subcommand("idle", "measure resting connections");
  auto* verify = app.add_subcommand("verify", "measure one ES256 verification");
  for (auto* command : {run, idle}) {
    command->add_option("--port", target.port)->required();
    command->add_option("--connections", target.connections);
    command->add_option("--host", target.host, "Host and SNI");
    command->add_option("--path", target.path);
    command->add_option("--pid", target.pids, "the server's processes")->required();
  }
  for (auto* command : {issuer, run}) {
    command->add_option("--issuer-key", plan.issuer_key);
    command->add_option("--issuer-alg", plan.issuer_alg);
  }
  run->add_option("--requests", count);
  run->add_flag("--dpop", dpop, "a fresh proof for every request");
  run->add_option("--every", every,
                  "microseconds from one request to the next; 0: the next when one is answered");
  run->add_option("--issuer", plan.issuer);
  run->add_option("--audience", plan.audience);
  run->add_option("--keys", plan.keys, "clients with one token each; 0: a new one for every request");
  verify->add_option("--rounds", rounds);
  CLI11_PARSE(app, argc, argv);

  try {
    raise_descriptor_limit();
    if (*issuer) return serve_issuer(issuer_port, plan.issuer_alg, plan.kid, plan.issuer_key);
    if (*idle) return measure_idle(target);
    if (*run) return measure(target, plan, dpop, count, std::chrono::microseconds(every));
    std::printf("{\"verify_us\":%.3f}\n", es256_verify_nanoseconds(rounds) / 1000.0);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "holdfast_load: %s\n", error.what());
    return 2;
  }
}
