// See looks.h.
#include "keys/looks.h"

#include <atomic>
#include <thread>

#include "support/websocket.h"

namespace holdfast::integration::keys {
namespace {

Request handshake(std::string_view target) {
  return open_request(target)
      .add("Connection", "Upgrade")
      .add("Upgrade", "websocket")
      .add("Sec-WebSocket-Version", "13")
      .add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
}

// Holds what it is asked until whoever asked goes.
void hold(Exchange& exchange) {
  while (!exchange.receive().empty()) continue;
  exchange.close();
}

}  // namespace

Look order() {
  return [](World& world) { return verdict(world.ask(world.order())); };
}

Look open() {
  return [](World& world) { return verdict(world.ask_plain(open_request())); };
}

Look order_with_token(World::ChangeToken change) {
  return [change = std::move(change)](World& world) {
    return verdict(world.ask(world.order_with(world.token(change))));
  };
}

Look order_with_proof(World::ChangeProof change) {
  return [change = std::move(change)](World& world) {
    return verdict(world.ask(world.order_with(world.token(), change)));
  };
}

Look who_answers() {
  return [](World& world) { return world.ask_plain(open_request()).body; };
}

Look answer_field(std::string name, std::function<Request()> request) {
  return [name = std::move(name), request = std::move(request)](World& world) {
    return world.ask(request()).fields.value(name);
  };
}

Look backend_field(std::string name) {
  return [name = std::move(name)](World& world) {
    (void)world.ask(world.order());
    return world.backend.last().fields.value(name);
  };
}

Look answers_at(std::uint16_t World::* port) {
  return [port](World& world) -> std::string {
    try {
      Stream stream = Stream::plain(world.*port);
      stream.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      return MessageReader(stream).response().status == 0 ? "" : "answers";
    } catch (const std::runtime_error&) {
      return "refused";
    }
  };
}

Look logged(std::string member) {
  return [member = std::move(member)](World& world) {
    const std::string path = "/open/" + support::random_id();
    (void)world.ask_plain(open_request(path));
    return std::string(world.log_line(path).at(member).as_string());
  };
}

Look beside_another() {
  return [](World& world) {
    const Script script(world.backend, [](Exchange& exchange) {
      if (exchange.request.target == "/open/held") return hold(exchange);
      exchange.respond(200, "", "ok");
    });
    Stream held = world.dial_plain();
    held.send(open_request("/open/held").raw());
    if (!world.backend.wait_for(1)) return std::string("the first one never came");
    Stream stream = world.dial_plain();
    stream.send(open_request().raw());
    return what_comes(stream, world.patience);
  };
}

Look body_that_stops() {
  return [](World& world) {
    Stream stream = world.dial_plain();
    stream.send(open_request("/open/x", "POST").add("Content-Length", "100").raw() + "part");
    return what_comes(stream, world.patience);
  };
}

Look reader_that_takes_nothing() {
  return [](World& world) {
    std::atomic<bool> cut{false};
    const Script script(world.backend, [&cut](Exchange& exchange) {
      exchange.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\n");
      const std::string piece(std::size_t{64} * 1024, 'r');
      while (exchange.send(piece)) continue;
      cut = true;
      exchange.close();
    });
    Stream stream = world.dial_plain();
    stream.send(open_request().raw());
    return world.settle([&cut] { return std::string(cut ? "cut" : "held"); });
  };
}

Look tunnel_at_rest() {
  return [](World& world) -> std::string {
    const Script script(world.backend, [](Exchange& exchange) {
      support::switch_protocols(exchange);
      hold(exchange);
    });
    Stream stream = world.dial_plain();
    stream.send(handshake("/open/ws").raw());
    MessageReader reader(stream);
    if (!reader.head().value_or("").starts_with("HTTP/1.1 101 ")) return "no tunnel";
    return reader.closed(world.patience) ? "closed" : "nothing";
  };
}

Look large_body() {
  return [](World& world) {
    Request request = open_request("/open/x", "POST");
    request.body = "eleven byte";
    return verdict(world.ask_plain(request));
  };
}

Look backend_that_says_nothing() {
  return [](World& world) {
    const Script script(world.backend, hold);
    Stream stream = world.dial_plain();
    stream.send(open_request().raw());
    return what_comes(stream, world.patience);
  };
}

std::vector<Case> cors_cases(const std::string& key, const std::string& place) {
  const auto cors = [&place](const std::string& more) {
    return place + "cors: {origins: [https://app.example.com]" + more + "}";
  };
  const auto from_a_page = [] { return open_request().add("Origin", "https://app.example.com"); };
  const auto preflight = [] {
    return open_request("/open/x", "OPTIONS")
        .add("Origin", "https://app.example.com")
        .add("Access-Control-Request-Method", "GET");
  };
  const std::string origin = "Access-Control-Allow-Origin";
  return {
      {key + "cors", {}, {cors("")}, answer_field(origin, from_a_page), "", "https://app.example.com"},
      {key + "cors.origins",
       {place + "cors: {origins: [https://shop.example.com]}"},
       {cors("")},
       answer_field(origin, from_a_page),
       "",
       "https://app.example.com"},
      {key + "cors.credentials",
       {cors("")},
       {cors(", credentials: true")},
       answer_field("Access-Control-Allow-Credentials", from_a_page),
       "",
       "true"},
      {key + "cors.max_age",
       {cors("")},
       {cors(", max_age: 60s")},
       answer_field("Access-Control-Max-Age", preflight),
       "600",
       "60"},
  };
}

}  // namespace holdfast::integration::keys
