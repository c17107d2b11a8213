// The keys of the file's top level and its small sections; what another test holds; what does not exist yet.
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>

#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

// Each worker has a socket of its own on a listener's port.
std::string listening_sockets(World& world) {
  char port[8];
  std::snprintf(port, sizeof port, ":%04X", world.plain_port);
  std::ifstream table("/proc/net/tcp");
  int count = 0;
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number;
    std::string local;
    std::string remote;
    std::string state;
    words >> number >> local >> remote >> state;
    if (local.ends_with(port) && state == "0A") ++count;
  }
  return std::to_string(count);
}

std::string open_is(World& world) {
  try {
    return world.ask_plain(open_request()).status == 200 ? "served" : "answered";
  } catch (const std::exception&) {
    return "refused";
  }
}

// A process whose probes are not where they were has started once it serves.
std::string probes(World& world) {
  for (int i = 0; i < 1000 && open_is(world) != "served"; ++i) std::this_thread::sleep_for(Milliseconds{20});
  return answers_at(&World::probes_port)(world);
}

// ---- admin

std::string admin_says(World& world, std::string_view request_line, std::string_view host) {
  Stream stream = Stream::plain(world.spare_port);
  stream.send(std::string(request_line) + " HTTP/1.1\r\nHost: " + std::string(host) +
              "\r\nAuthorization: Bearer an-admin-token-0123456789\r\n\r\n");
  return std::to_string(MessageReader(stream).response().status);
}

std::string admin_acts(World& world) {
  return admin_says(world, "POST /log-level?level=info", "localhost");
}

std::string admin_by_another_name(World& world) {
  return admin_says(world, "GET /", "admin.example.com");
}

// ---- log

std::string tells_of_its_start(World& world) {
  const std::string path = "/open/" + support::random_id();
  (void)world.ask_plain(open_request(path));
  (void)world.log_line(path);  // what came before it is written
  return world.holdfast->out().find("\"event\":\"started\"") == std::string::npos ? "silent" : "told";
}

std::string what_is_allowed(World& world) {
  const std::string path = "/open/" + support::random_id();
  (void)world.ask_plain(open_request(path));
  const std::string denied = "/orders/" + support::random_id();
  (void)world.ask(open_request(denied));
  (void)world.log_line(denied);
  return world.holdfast->out().find(path) == std::string::npos ? "left out" : "logged";
}

// ---- reload and shutdown

std::string changed_file(World& world) {
  const std::string before = world.reloads();
  world.folder.write("holdfast.yaml",
                     support::read_file(world.folder.path() / "holdfast.yaml") + "# a change\n");
  std::this_thread::sleep_for(Milliseconds{1500});  // it would be read after a second of quiet
  return world.settle([&] { return std::string(world.reloads() == before ? "not read" : "read"); });
}

std::string after_the_signal(World& world) {
  world.holdfast->signal(SIGTERM);
  std::this_thread::sleep_for(Milliseconds{300});
  world.patience = kPatience;
  return world.settle([&world] { return open_is(world); });
}

std::string request_under_way(World& world) {
  const Script script(world.backend, [](Exchange& exchange) {
    while (!exchange.receive().empty()) continue;
    exchange.close();
  });
  Stream stream = world.dial_plain();
  stream.send(open_request().raw());
  if (!world.backend.wait_for(1)) return "never came";
  world.holdfast->signal(SIGTERM);
  return world.holdfast->wait_exit(world.patience) ? "given up" : "waited for";
}

}  // namespace

std::vector<Case> rest_cases() {
  const auto admin = [](const std::string& more) { return "admin: {address: @spare_at" + more + "}"; };
  std::vector<Case> cases{
      {"issuer",
       {"issuers:", "issuer: @issuer", "audience: orders-api"},
       {"issuer: @second"},
       order(),
       "200",
       "401 token_issuer"},
      {"audience",
       {"issuers:", "issuer: @issuer", "audience: orders-api"},
       {"audience: other-api"},
       order(),
       "200",
       "401 token_audience"},
      {"upstream",
       {"upstreams:", "upstream: @backend"},
       {"upstream: @other"},
       who_answers(),
       "backend",
       "other"},
      {"reload.watch", {}, {"reload: {watch: on}"}, changed_file, "not read", "read"},
      {"log.access", {}, {"log: {access: denied}"}, what_is_allowed, "logged", "left out"},
      {"log.level", {}, {"log: {level: error}"}, tells_of_its_start, "told", "silent", By::kRestart},
      {"workers", {"workers: 1"}, {"workers: 3"}, listening_sockets, "1", "3", By::kRestart},
      {"probes", {}, {"probes: off"}, probes, "answers", "refused", By::kRestart},
      {"probes.address", {}, {"probes: {address: @spare_at}"}, probes, "answers", "refused", By::kRestart},
      {"admin", {}, {"admin: @spare_at"}, answers_at(&World::spare_port), "refused", "answers", By::kRestart},
      {"admin.address",
       {admin("")},
       {"admin: {address: @other_spare_at}"},
       answers_at(&World::other_spare_port),
       "refused",
       "answers",
       By::kRestart},
      {"admin.token_file",
       {admin("")},
       {admin(", token_file: admin.token")},
       admin_acts,
       "403",
       "200",
       By::kRestart},
      {"admin.hosts",
       {admin("")},
       {admin(", hosts: [admin.example.com]")},
       admin_by_another_name,
       "403",
       "200",
       By::kRestart},
      {"shutdown.delay",
       {},
       {"shutdown: {delay: 3s, drain: 5s}"},
       after_the_signal,
       "refused",
       "served",
       By::kRestart},
      {"shutdown.drain",
       {"shutdown: {delay: 0s, drain: 1h}"},
       {"shutdown: {delay: 0s, drain: 300ms}"},
       request_under_way,
       "waited for",
       "given up",
       By::kRestart},
  };
  const std::vector<Case> cors = cors_cases("", "");
  cases.insert(cases.begin(), cors.begin(), cors.end());
  return cases;
}

std::vector<HeldElsewhere> held_elsewhere() {
  return {
      {"memory", "overload", "OverloadTest", "NewRequestsAreRefusedBeforeMemoryRunsOut"},
      {"routes.close_at_expiry", "expiry", "WebSocketExpiryTest", "ClientAndBackendAreTold1008"},
  };
}

std::vector<NotYet> not_yet() {
  return {
      {"log.format", "log: {format: text}"},
      {"dpop.replay.store", "dpop.replay: {store: redis}"},
      {"dpop.replay.on_unavailable", "dpop.replay: {on_unavailable: accept}"},
      {"dpop.replay.redis", "dpop.replay: {redis: {url: \"rediss://redis:6379/0\"}}"},
      {"upstreams.health", "api.health: {path: /healthz}"},
      {"upstreams.outlier", "api.outlier: {consecutive_failures: 5}"},
  };
}

}  // namespace holdfast::integration::keys
