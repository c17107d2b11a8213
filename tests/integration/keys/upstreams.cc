// The keys of upstreams.
#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

// How many of eight requests each backend gets, over one connection: each worker takes turns by itself.
std::string turns(World& world) {
  Stream stream = world.dial_plain();
  MessageReader reader(stream);
  std::map<std::string, int> count;
  for (int i = 0; i < 8; ++i) {
    stream.send(open_request().raw());
    ++count[reader.response().body];
  }
  return std::to_string(count["backend"]) + ':' + std::to_string(count["other"]);
}

// How many of four requests the backend gets that is still busy with one.
std::string requests_to_the_busy_one(World& world) {
  std::atomic<HttpServer*> busy{nullptr};
  std::atomic<int> got{0};
  const auto handler = [&](HttpServer& server) {
    return [&](Exchange& exchange) {
      if (exchange.request.target == "/open/held") {
        busy = &server;
        while (!exchange.receive().empty()) continue;
        return exchange.close();
      }
      if (busy == &server) ++got;
      exchange.respond(200, "", "ok");
    };
  };
  const Script first(world.backend, handler(world.backend));
  const Script second(world.other, handler(world.other));
  Stream held = world.dial_plain();
  held.send(open_request("/open/held").raw());
  for (int i = 0; i < 1000 && busy == nullptr; ++i) std::this_thread::sleep_for(Milliseconds{10});
  Stream stream = world.dial_plain();
  MessageReader reader(stream);
  for (int i = 0; i < 4; ++i) {
    stream.send(open_request().raw());
    (void)reader.response();
  }
  return std::to_string(got);
}

std::string request(World& world) {
  Stream stream = world.dial_plain();
  stream.send(open_request().raw());
  return what_comes(stream, world.patience);
}

std::string answer_that_stops(World& world) {
  const Script script(world.backend, [](Exchange& exchange) {
    exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
    while (!exchange.receive().empty()) continue;
    exchange.close();
  });
  Stream stream = world.dial_plain();
  stream.send(open_request().raw());
  MessageReader reader(stream);
  (void)reader.head();
  (void)reader.bytes(4);
  return reader.closed(world.patience) ? "closed" : "nothing";
}

// Whether two requests of one client, and so of one worker, with a pause between go over one connection to
// the backend.
std::string kept_connection(World& world) {
  Stream stream = world.dial_plain();
  MessageReader reader(stream);
  const auto connection = [&] {
    stream.send(open_request().raw());
    (void)reader.response();
    return world.backend.last().connection;
  };
  int last = connection();
  return world.settle([&] {
    std::this_thread::sleep_for(kGlance);
    const int now = connection();
    return std::string(std::exchange(last, now) == now ? "kept" : "another");
  });
}

std::string backend_that_hangs_up_once(World& world) {
  std::atomic<int> asked{0};
  const Script script(world.backend, [&asked](Exchange& exchange) {
    if (asked++ == 0) return exchange.close();
    exchange.respond(200, "", "ok");
  });
  return verdict(world.ask_plain(open_request()));
}

// Over TLS to a backend: Holdfast's own TLS listener is one.
std::string over_tls(World& world) {
  if (!world.taken) return "refused";
  return verdict(world.ask_plain(open_request("/via/open/x")));
}

std::vector<Case> tls_cases() {
  const auto to_itself = [](const std::string& tls) {
    return "upstreams: [{name: backend, servers: [@backend]}, {name: self, servers: [https://@tls_at], tls: "
           "{" +
           tls + "}}]";
  };
  const auto with = [&](const std::string& tls, std::vector<std::string> more = {}) {
    more.insert(more.end(),
                {to_itself(tls), "route.upstream: backend", "open.upstream: backend",
                 "routes+: {name: via, match: {path: /via/**}, access: public, strip_prefix: /via, "
                 "upstream: self}"});
    return more;
  };
  const std::string ca = "ca: tls.crt";
  const std::string mine = ", certificate: @mine_crt, key: @mine_key";
  const std::vector<std::string> strict{"tls.client_auth: required", "tls.client_ca: @authority"};
  return {
      {"upstreams.tls.ca", with(""), {to_itself(ca)}, over_tls, "502 upstream_unavailable", "200"},
      {"upstreams.tls.server_name",
       with(ca),
       {to_itself(ca + ", server_name: other.example.com")},
       over_tls,
       "200",
       "502 upstream_unavailable"},
      {"upstreams.tls.certificate",
       with(ca, strict),
       {to_itself(ca + mine)},
       over_tls,
       "502 upstream_unavailable",
       "200"},
      {"upstreams.tls.key",
       with(ca + ", certificate: @mine_crt, key: @another_key", strict),
       {to_itself(ca + mine)},
       over_tls,
       "refused",
       "200"},
  };
}

std::vector<Case> timeout_cases() {
  const std::string silent = "api.servers: [https://@silent_at]";
  return {
      {"upstreams.timeouts.connect",
       {silent, "api.timeouts: {connect: 1h}"},
       {"api.timeouts: {connect: 200ms}"},
       request,
       "nothing",
       "502 upstream_unavailable"},
      {"upstreams.timeouts.response",
       {},
       {"api.timeouts: {response: 200ms}"},
       backend_that_says_nothing(),
       "nothing",
       "504 upstream_timeout"},
      {"upstreams.timeouts.body_idle",
       {},
       {"api.timeouts: {body_idle: 200ms}"},
       answer_that_stops,
       "nothing",
       "closed"},
      {"upstreams.timeouts.idle",
       {"api.timeouts: {idle: 1h}"},
       {"api.timeouts: {idle: 50ms}"},
       kept_connection,
       "kept",
       "another"},
  };
}

}  // namespace

std::vector<Case> upstream_cases() {
  const auto weighted = [](int weight) {
    return "api.servers: [{url: @backend, weight: " + std::to_string(weight) + "}, {url: @other, weight: 1}]";
  };
  const std::string both = "api.servers: [@backend, @other]";
  const std::string in_turns = "api.balance: round_robin";
  std::vector<Case> cases{
      {"upstreams",
       {"route.upstream: backend", "open.upstream: backend"},
       {"upstreams+: {name: spare, servers: [@other]}", "open.upstream: spare"},
       who_answers(),
       "backend",
       "other"},
      {"upstreams.name", {}, {"api.name: shop"}, logged("upstream"), "backend", "shop"},
      {"upstreams.servers", {}, {"api.servers: [@other]"}, who_answers(), "backend", "other"},
      {"upstreams.servers.url",
       {"api.servers: [{url: @backend}]"},
       {"api.servers: [{url: @other}]"},
       who_answers(),
       "backend",
       "other"},
      {"upstreams.servers.weight", {in_turns, weighted(1)}, {weighted(3)}, turns, "4:4", "6:2"},
      {"upstreams.balance",
       {both, in_turns},
       {"api.balance: least_request"},
       requests_to_the_busy_one,
       "2",
       "0"},
      {"upstreams.max_connections",
       {"api.max_connections: 1"},
       {"api.max_connections: 10"},
       beside_another(),
       "nothing",
       "200"},
      {"upstreams.queue",
       {"api.max_connections: 1"},
       {"api.queue: 0"},
       beside_another(),
       "nothing",
       "503 overloaded"},
      {"upstreams.retries.max",
       {},
       {"api.retries: {max: 0}"},
       backend_that_hangs_up_once,
       "200",
       "502 upstream_unavailable"},
  };
  for (const auto& table : {timeout_cases(), tls_cases()})
    cases.insert(cases.end(), table.begin(), table.end());
  return cases;
}

}  // namespace holdfast::integration::keys
