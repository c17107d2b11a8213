// See world.h.
#include "keys/world.h"

#include <algorithm>
#include <csignal>
#include <thread>

namespace holdfast::integration::keys {
namespace {

using support::Members;

std::string loopback(std::uint16_t port) {
  return "127.0.0.1:" + std::to_string(port);
}

std::string metadata(const std::string& issuer, const std::string& jwks) {
  return Members{}
      .text("issuer", issuer)
      .text("jwks_uri", jwks)
      .text("authorization_endpoint", issuer + "/auth")
      .raw("response_types_supported", R"(["code"])")
      .json();
}

void respond_json(Exchange& exchange, const std::string& json) {
  exchange.respond(200, "Content-Type: application/json\r\n", json);
}

}  // namespace

World::World()
    : patience(kGlance),
      tls_port(support::free_port()),
      plain_port(support::free_port()),
      probes_port(support::free_port()),
      spare_port(support::free_port()),
      other_spare_port(support::free_port()),
      second("RS256", "/realms/second"),
      silent(support::listen_loopback(0)),
      client(SigningKey::generate("ES256")),
      assertion(SigningKey::generate("ES256")),
      other_assertion(SigningKey::generate("ES256")),
      mine(authority.issue("mine", {.common_name = "mine"})),
      another(authority.issue("another", {.common_name = "another"})),
      certificate_of_second(
          authority.issue("second", {.common_name = "second", .names = "DNS:second.example.com"})),
      good_token_(token()) {
  write_files();
  // What introspection.client_id and client_secret_file have to say.
  issuer.expect_authorization("Basic b3JkZXJzLWFwaTpzM2NyZXQ=");
  documents.on_request([this](Exchange& exchange) {
    const std::string& target = exchange.request.target;
    const std::string moved = documents.url() + "/moved";
    if (target == "/moved/.well-known/openid-configuration") {
      respond_json(exchange, metadata(moved, documents.url() + "/keys"));
    } else if (target == "/elsewhere") {
      respond_json(exchange, metadata(moved, documents.url() + "/other-keys"));
    } else if (target == "/keys") {
      respond_json(exchange, issuer.jwks_document());
    } else if (target == "/other-keys") {
      respond_json(exchange, second.jwks_document());
    } else if (target == "/introspect") {
      respond_json(exchange, R"({"active":false})");
    } else {
      exchange.respond(target == "/startupz" || target == "/readyz" ? 200 : 404, "", "");
    }
  });
}

// Its own issuer and backends may still be asked while the process ends.
World::~World() {
  holdfast.reset();
}

void World::write_files() {
  support::write_certificate(folder, {"localhost", std::string(kHost)});
  folder.write("client.secret", "s3cret\n", true);
  folder.write("other.secret", "wrong\n", true);
  folder.write("nonce.key", std::string(48, 'n'), true);
  folder.write("other-nonce.key", std::string(48, 'o'), true);
  folder.write("admin.token", "an-admin-token-0123456789\n", true);
  SigningKey::generate("ES256").write_pem(folder.path() / "ec.pem");
  SigningKey::generate("RS256").write_pem(folder.path() / "rsa.pem");
  assertion.write_pem(folder.path() / "assertion.pem");
  other_assertion.write_pem(folder.path() / "other-assertion.pem");
}

// A backend that is an issuer as well, over the TLS listener in front of it.
void World::serve() {
  const std::string here = "https://localhost:" + std::to_string(tls_port) + "/open/id";
  backend.on_request([this, here](Exchange& exchange) {
    const std::string& target = exchange.request.target;
    if (target == "/open/id/.well-known/openid-configuration") {
      respond_json(exchange, metadata(here, here + "/keys"));
    } else if (target == "/open/id/keys") {
      respond_json(exchange, issuer.jwks_document());
    } else {
      exchange.respond(200, "", "backend");
    }
  });
  other.on_request([](Exchange& exchange) { exchange.respond(200, "", "other"); });
  backend.forget();
  other.forget();
}

// ---- configurations

Configuration World::shared() const {
  Configuration shared({{"backend", backend.url()},
                        {"other", other.url()},
                        {"documents", documents.url()},
                        {"issuer", issuer.url()},
                        {"second", second.url()},
                        {"tls_at", loopback(tls_port)},
                        {"tls_port", std::to_string(tls_port)},
                        {"plain_at", loopback(plain_port)},
                        {"probes_at", loopback(probes_port)},
                        {"spare_at", loopback(spare_port)},
                        {"other_spare_at", loopback(other_spare_port)},
                        {"silent_at", loopback(support::local_port(silent))},
                        {"authority", authority.file()},
                        {"stranger", stranger.file()},
                        {"mine_crt", mine.certificate},
                        {"mine_key", mine.key},
                        {"another_key", another.key},
                        {"second_crt", certificate_of_second.certificate},
                        {"second_key", certificate_of_second.key}});
  shared.put({"public.name: public",
              "public.address: @tls_at",
              "public.public_origins: [https://api.example.com]",
              "tls.certificate: tls.crt",
              "tls.key: tls.key",
              "mesh.name: mesh",
              "mesh.address: @plain_at",
              "mesh.tls: off",
              "idp.name: demo",
              "idp.url: @issuer",
              "idp.audiences: [orders-api]",
              "api.name: backend",
              "api.servers: [@backend]",
              "route.name: orders",
              "route.match: {path: /orders/**}",
              "open.name: open",
              "open.match: {path: /open/**}",
              "open.access: public",
              "workers: 2",
              "dpop.replay: {cold_start: accept}",
              "probes: {address: @probes_at}",
              "shutdown: {delay: 0s, drain: 5s}"});
  return shared;
}

void World::configure(const std::vector<std::string>& lines, By by) {
  Configuration next = shared();
  const std::string usual = next.yaml();
  next.put(lines);
  const std::string yaml = next.yaml();
  taken = true;
  if (by == By::kCheck) return folder.write("checked.yaml", yaml);
  if (by == By::kReload) {
    if (holdfast == nullptr || own_process_) start(usual);
    own_process_ = false;
    return reload(yaml);
  }
  own_process_ = true;
  start(yaml);
}

void World::start(const std::string& yaml) {
  holdfast.reset();
  // Where its probes are elsewhere, somebody else says that it has started.
  const bool known = yaml.find("probes: {address: " + loopback(probes_port) + "}") != std::string::npos;
  holdfast = std::make_unique<support::HoldfastProcess>(folder, yaml, known ? probes_port : documents.port());
  // A case of an issuer that cannot be reached is not waited for.
  if (!expected.starts_with("503") && !holdfast->wait_ready())
    throw std::runtime_error("holdfast did not become ready: " + holdfast->out());
}

void World::reload(const std::string& yaml) {
  const std::string ok = reloads("ok");
  const std::string failed = reloads("failed");
  folder.write("holdfast.yaml", yaml);
  holdfast->signal(SIGHUP);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (reloads("ok") == ok) {
    if (reloads("failed") != failed) {
      taken = false;
      return;
    }
    if (std::chrono::steady_clock::now() > deadline)
      throw std::runtime_error("no reload: " + holdfast->out());
    std::this_thread::sleep_for(Milliseconds{5});
  }
}

std::string World::reloads(std::string_view result) const {
  const std::string text = ask_probes("/metrics").body;
  const std::string sample = "\nholdfast_config_reloads_total{result=\"" + std::string(result) + "\"} ";
  const std::size_t at = text.find(sample);
  if (at == std::string::npos) return "";
  return text.substr(at + sample.size(), text.find('\n', at + 1) - at - sample.size());
}

std::string World::see(const Case& of, bool with_change) {
  serve();
  std::vector<std::string> lines = of.base;
  if (with_change) lines.insert(lines.end(), of.change.begin(), of.change.end());
  expected = with_change ? of.after : of.before;
  patience = with_change ? kPatience : kGlance;
  try {
    configure(lines, of.by);
    return of.look(*this);
  } catch (const std::exception& error) {
    return std::string("threw: ") + error.what();
  }
}

// ---- for looks

Response World::ask(const Request& request) const {
  Stream stream = dial();
  stream.send(request.raw());
  return MessageReader(stream).response(request.method == "HEAD");
}

Response World::ask_plain(const Request& request) const {
  Stream stream = dial_plain();
  stream.send(request.raw());
  return MessageReader(stream).response();
}

Response World::ask_probes(std::string_view target) const {
  Stream stream = Stream::plain(probes_port);
  stream.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  return MessageReader(stream).response();
}

std::string World::token(const ChangeToken& change) const {
  AccessToken token = issuer.token(kAudience, client);
  token.payload.text("sub", "alice")
      .text("client_id", "shop")
      .text("preferred_username", "al")
      .text("email", "al@example.com")
      .raw("email_verified", "true")
      .text("scope", "orders:read")
      .raw("realm_access", R"({"roles":["clerk"]})");
  if (change) change(token);
  return issuer.sign(token);
}

Request World::order_with(const std::string& token, const ChangeProof& change) const {
  Proof proof(client, "GET", std::string(kOrigin) + "/orders/1", token);
  if (change) change(proof);
  return Sidecar::with("GET", "/orders/1", token, proof.sign(client));
}

std::string World::settle(const std::function<std::string()>& look, Milliseconds pause) const {
  for (const auto deadline = std::chrono::steady_clock::now() + patience;;) {
    std::string seen = look();
    if (seen == expected || std::chrono::steady_clock::now() > deadline) return seen;
    std::this_thread::sleep_for(pause);
  }
}

boost::json::object World::log_line(std::string_view path) const {
  const std::string member = "\"path\":\"" + std::string(path) + '"';
  if (!holdfast->wait_out(member)) throw std::runtime_error("no line about " + std::string(path));
  const std::string out = holdfast->out();
  const std::size_t at = out.find(member);
  const std::size_t begin = out.rfind('\n', at) + 1;  // npos + 1 is the beginning
  return boost::json::parse(out.substr(begin, out.find('\n', at) - begin)).as_object();
}

support::Finished World::check(std::vector<std::string> more) const {
  more.insert(more.begin(), {"check", "-c", (folder.path() / "checked.yaml").string()});
  return support::run_holdfast(more);
}

std::string verdict(const Response& answer) {
  if (answer.body.starts_with("{\"")) return std::to_string(answer.status) + ' ' + reason_of(answer);
  return std::to_string(answer.status);
}

std::string what_comes(Stream& stream, Milliseconds patience) {
  std::string bytes;
  switch (stream.read_some(bytes, patience)) {
    case support::ReadResult::kTimeout:
      return "nothing";
    case support::ReadResult::kEnd:
    case support::ReadResult::kReset:
      return "closed";
    case support::ReadResult::kBytes:
      break;
  }
  while (bytes.find("\r\n\r\n") == std::string::npos) {
    if (stream.read_some(bytes) != support::ReadResult::kBytes) return "half a head";
  }
  Response answer;
  answer.status = std::stoi(bytes.substr(bytes.find(' ')));
  // Refusals are short, and have a last brace.
  while (bytes.find("application/problem+json") != std::string::npos && !bytes.ends_with('}')) {
    if (stream.read_some(bytes) != support::ReadResult::kBytes) break;
  }
  answer.body = bytes.substr(std::min(bytes.find("{\""), bytes.size()));
  return verdict(answer);
}

Request open_request(std::string_view target, std::string_view method) {
  Request request;
  request.method = method;
  request.target = target;
  return request;
}

}  // namespace holdfast::integration::keys
