// See sidecar.h.
#include "sidecar.h"

#include <sys/resource.h>

#include <cstdlib>

namespace holdfast::integration {
namespace {

std::string default_routes() {
  return R"(
  - {name: public, match: {path: /public/**}, access: public, upstream: backend}
  - {name: denied, match: {path: /denied/**}, access: deny}
  - {name: scoped, match: {path: /scoped/**}, require: {scopes: ["orders:write", "orders:read"]}, upstream: backend}
  - {name: roles_any, match: {path: /roles/any/**}, require: {roles: {any: [clerk, "shop:admin"]}}, upstream: backend}
  - {name: roles_all, match: {path: /roles/all/**}, require: {roles: {all: [clerk, "shop:admin"]}}, upstream: backend}
  - {name: nonce, match: {path: /nonce/**}, nonce: required, upstream: backend}
  - {name: stripped, match: {path: /v1/things/**}, strip_prefix: /v1, upstream: backend}
  - {name: orders, match: {path: "/orders/**"}, access: dpop, upstream: backend}
)";
}

std::string make_yaml(const Sidecar& sidecar, const Settings& settings) {
  const auto loopback = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
  const std::string servers = settings.servers.empty() ? sidecar.backend.url() : settings.servers;
  return "workers: 2\n"
         "listeners:\n"
         "  - {name: public, address: \"" +
         loopback(sidecar.tls_port) + "\", " + settings.listener + settings.tls_listener + "tls: {" +
         settings.tls +
         "certificate: tls.crt, key: tls.key}, protocols: [h2, http/1.1], "
         "public_origins: [\"https://api.example.com\", \"https://other.example.com\"]}\n"
         "  - {name: mesh, address: \"" +
         loopback(sidecar.plain_port) + "\", " + settings.listener +
         "tls: off}\n"
         "issuers:\n"
         "  - {name: demo, url: \"" +
         sidecar.issuer.url() + "\", " + settings.issuer +
         "audiences: [orders-api]}\n"
         "dpop: {" +
         settings.dpop +
         (settings.dpop.find("cold_start") == std::string::npos ? "replay: {cold_start: accept}" : "") +
         "}\n"
         "upstreams:\n"
         "  - {name: backend, " +
         settings.upstream + "servers: [" + servers +
         "]}\n"
         "routes:\n" +
         settings.routes + (settings.default_routes ? default_routes() : "") + "probes: {address: \"" +
         loopback(sidecar.probes_port) +
         "\"}\n"
         "admin: " +
         settings.admin +
         "\n"
         "log: {level: info, format: json, access: all}\n"
         "shutdown: " +
         settings.shutdown + "\n" + settings.top;
}

}  // namespace

Request& Request::add(std::string_view name, std::string_view value) {
  fields.emplace_back(name, value);
  return *this;
}

std::string Request::raw() const {
  std::string bytes = method + ' ' + target + " HTTP/1.1\r\nHost: " + host + "\r\n";
  for (const auto& [name, value] : fields) bytes += name + ": " + value + "\r\n";
  if (!body.empty()) bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return bytes + "\r\n" + body;
}

Sidecar::Sidecar(const Settings& settings)
    : tls_port(support::free_port()),
      plain_port(support::free_port()),
      probes_port(support::free_port()),
      client(SigningKey::generate("ES256")) {
  support::write_certificate(folder, {"localhost", std::string(kHost)});
  folder.write("admin.token", kAdminToken, true);
  for (const auto& [name, text] : settings.files) folder.write(name, text, true);
  good_token_ = issuer.sign(token());
  yaml_ = make_yaml(*this, settings);
  if (settings.issuer_down) issuer.go_away();
  holdfast = std::make_unique<support::HoldfastProcess>(folder, yaml_, probes_port);
  if (!settings.issuer_down && !holdfast->wait_ready()) {
    throw std::runtime_error("holdfast did not become ready: " + holdfast->err());
  }
}

Response Sidecar::send(const Request& request) const {
  Stream stream = dial();
  stream.send(request.raw());
  return MessageReader(stream).response(request.method == "HEAD");
}

Response Sidecar::send_raw(std::string_view bytes) const {
  Stream stream = dial_plain();
  stream.send(bytes);
  return MessageReader(stream).response();
}

Proof Sidecar::proof(std::string_view method, std::string_view target, std::string_view token) const {
  return {client, method, std::string(kOrigin) + std::string(target), token};
}

Request Sidecar::with(std::string_view method, std::string_view target, std::string_view token,
                      std::string_view proof) {
  Request request;
  request.method = method;
  request.target = target;
  request.add("Authorization", "DPoP " + std::string(token)).add("DPoP", proof);
  return request;
}

Request Sidecar::with_proof(std::string_view method, std::string_view target) const {
  return with(method, target, good_token_, proof(method, target, good_token_).sign(client));
}

Request Sidecar::with_nonce(std::string_view method, std::string_view target, std::string_view nonce) const {
  Proof fresh = proof(method, target, good_token_);
  fresh.payload.text("nonce", nonce);
  return with(method, target, good_token_, fresh.sign(client));
}

std::string reason_of(const Response& answer) {
  return member_of(answer, "reason");
}

std::string member_of(const Response& answer, std::string_view name) {
  boost::system::error_code failed;
  const auto problem = boost::json::parse(answer.body, failed);
  if (failed || !problem.is_object() || !problem.as_object().contains(name))
    return "no problem: " + answer.body;
  return std::string(problem.as_object().at(name).as_string());
}

void expect_refusal(const Response& answer, int status, std::string_view reason) {
  EXPECT_EQ(answer.status, status) << answer.head << answer.body;
  EXPECT_EQ(answer.fields.value("Content-Type"), "application/problem+json") << answer.head;
  EXPECT_NE(answer.fields.value("Cache-Control").find("no-store"), std::string::npos) << answer.head;
  boost::system::error_code failed;
  const auto parsed = boost::json::parse(answer.body, failed);
  ASSERT_TRUE(!failed && parsed.is_object()) << answer.body;
  const auto& problem = parsed.as_object();
  for (const char* member : {"type", "title", "detail", "reason", "request_id"}) {
    const auto* value = problem.if_contains(member);
    ASSERT_TRUE(value != nullptr && value->is_string() && !value->as_string().empty())
        << member << " in " << answer.body;
  }
  EXPECT_EQ(problem.at("reason").as_string(), reason) << answer.body;
  EXPECT_EQ(problem.at("type").as_string(), "urn:holdfast:reason:" + std::string(reason));
  ASSERT_TRUE(problem.contains("status"));
  EXPECT_EQ(problem.at("status"), status);
  EXPECT_EQ(answer.body.find("eyJ"), std::string::npos) << "a token or proof in the answer: " << answer.body;
  EXPECT_EQ(answer.head.find("eyJ"), std::string::npos) << "a token or proof in the answer: " << answer.head;
}

void expect_challenge(const Response& answer, std::string_view error) {
  const auto challenges = answer.fields.all("WWW-Authenticate");
  ASSERT_EQ(challenges.size(), 1U) << answer.head;
  const std::string& challenge = challenges.front();
  EXPECT_TRUE(challenge.starts_with("DPoP ")) << challenge;
  if (answer.status == 401) {
    EXPECT_NE(challenge.find("algs=\""), std::string::npos) << challenge;
    EXPECT_NE(challenge.find("ES256"), std::string::npos) << challenge;
  }
  if (error.empty()) {
    EXPECT_EQ(challenge.find("error"), std::string::npos) << challenge;
  } else {
    EXPECT_NE(challenge.find("error=\"" + std::string(error) + "\""), std::string::npos) << challenge;
  }
}

std::unique_ptr<Sidecar> SharedSidecar::sidecar;

void SharedSidecar::SetUpTestSuite() {
  Settings settings;
  settings.admin = kAdmin;
  sidecar = std::make_unique<Sidecar>(settings);
}

void SharedSidecar::TearDownTestSuite() {
  sidecar.reset();
}

void SharedSidecar::SetUp() {
  ASSERT_NE(sidecar, nullptr);
  sidecar->backend.on_request([](Exchange& exchange) { exchange.respond(200, "", "ok"); });
  sidecar->backend.forget();
}

std::uint64_t tunable(const char* name, std::uint64_t usual) {
  const char* given = std::getenv((std::string("HOLDFAST_TEST_") + name).c_str());
  return given == nullptr ? usual : std::stoull(given);
}

std::size_t open_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

bool memory_counts() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return false;
#else
  return true;
#endif
}

}  // namespace holdfast::integration
