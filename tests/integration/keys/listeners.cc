// The keys of listeners.
#include <openssl/x509.h>

#include <thread>

#include "keys/looks.h"

namespace holdfast::integration::keys {
namespace {

using support::TlsOptions;

// The common name of the certificate that a client of second.example.com is shown.
std::string served(World& world) {
  if (!world.taken) return "refused";
  Stream stream = Stream::tls(world.tls_port, {.server_name = "second.example.com"});
  const std::string der = stream.server_certificate();
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  X509* const certificate = d2i_X509(nullptr, &bytes, static_cast<long>(der.size()));
  char name[64] = "";
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
  X509_free(certificate);
  return name;
}

// An order over a TLS connection of this kind.
Look order_over(std::function<TlsOptions(const World&)> options) {
  return [options = std::move(options)](World& world) -> std::string {
    try {
      Stream stream = Stream::tls(world.tls_port, options(world));
      stream.send(world.order().raw());
      return verdict(MessageReader(stream).response());
    } catch (const std::runtime_error&) {
      return "no answer";  // TLS 1.3 tells a client at its first read only
    }
  };
}

std::string plain_or_tls(World& world) {
  try {
    return Stream::tls(world.plain_port).tls_version().starts_with("TLS") ? "TLS" : "";
  } catch (const std::runtime_error&) {
    return "plain";
  }
}

std::string resumes(World& world) {
  std::shared_ptr<SSL_SESSION> session;
  std::vector<Stream> streams;  // a session whose connection was cut is not used again
  for (int i = 0; i < 2; ++i) {
    streams.push_back(Stream::tls(world.tls_port, {.server_name = std::string(kHost), .session = session}));
    streams.back().send(world.order().raw());
    (void)MessageReader(streams.back()).response();
    session = streams.back().session();
  }
  return streams.back().resumed() ? "resumed" : "afresh";
}

std::string spoken(World& world) {
  return Stream::tls(world.tls_port, {.server_name = std::string(kHost), .alpn = "\x02h2\x08http/1.1"})
      .alpn_selected();
}

// X-Forwarded-For as the backend has it, of a request that came with one.
std::string forwarded_for(World& world) {
  (void)world.ask(world.order().add("X-Forwarded-For", "192.0.2.9"));
  return world.backend.last().fields.value("X-Forwarded-For");
}

Look with_fields(std::size_t count, std::size_t size) {
  return [count, size](World& world) {
    Request request = open_request();
    for (std::size_t i = 0; i < count; ++i)
      request.add("X-Field-" + std::to_string(i), std::string(size, 'x'));
    return verdict(world.ask_plain(request));
  };
}

std::string second_connection(World& world) {
  Stream first = world.dial_plain();
  first.send(open_request().raw());
  (void)MessageReader(first).response();
  Stream second = world.dial_plain();
  second.send(open_request().raw());
  return what_comes(second, world.patience);
}

// ---- what clients leave undone

std::string handshake_that_stops(World& world) {
  Stream stream = Stream::plain(world.tls_port);
  return what_comes(stream, world.patience);
}

std::string head_that_stops(World& world) {
  Stream stream = world.dial_plain();
  stream.send("GET /open/x HTTP/1.1\r\nHo");
  return what_comes(stream, world.patience);
}

std::string connection_at_rest(World& world) {
  Stream stream = world.dial_plain();
  stream.send(open_request().raw());
  (void)MessageReader(stream).response();
  return what_comes(stream, world.patience);
}

// ---- the tables

std::vector<Case> tls_cases() {
  const std::string ours = "tls.certificates: [{certificate: tls.crt, key: tls.key}]";
  const std::string both =
      "tls.certificates: [{certificate: tls.crt, key: tls.key}, {certificate: @second_crt, key: "
      "@second_key}]";
  const std::string second = "tls.certificates: [{certificate: @second_crt, key: @second_key}]";
  const std::string misfit = "tls.certificates: [{certificate: @second_crt, key: tls.key}]";
  const auto listed = [](const std::string& line) {
    return std::vector<std::string>{"tls.certificate:", "tls.key:", line};
  };
  const Look certified = order_over([](const World& world) {
    return TlsOptions{
        .server_name = std::string(kHost), .certificate = world.mine.certificate, .key = world.mine.key};
  });
  const Look uncertified =
      order_over([](const World&) { return TlsOptions{.server_name = std::string(kHost)}; });
  const Look in_tls_12 = order_over([](const World&) {
    return TlsOptions{.server_name = std::string(kHost), .max_version = TLS1_2_VERSION};
  });
  return {
      {"listeners.tls",
       {},
       {"mesh.tls: {certificate: tls.crt, key: tls.key}"},
       plain_or_tls,
       "plain",
       "TLS",
       By::kRestart},
      {"listeners.tls.certificates", listed(ours), {both}, served, "holdfast test", "second"},
      {"listeners.tls.certificates.certificate", listed(ours), {second}, served, "holdfast test", "second"},
      {"listeners.tls.certificates.key", listed(misfit), {second}, served, "refused", "second"},
      {"listeners.tls.certificate",
       {},
       {"tls.certificate: @second_crt", "tls.key: @second_key"},
       served,
       "holdfast test",
       "second"},
      {"listeners.tls.key",
       {"tls.certificate: @second_crt"},
       {"tls.key: @second_key"},
       served,
       "refused",
       "second"},
      {"listeners.tls.min_version", {}, {"tls.min_version: \"1.3\""}, in_tls_12, "200", "no answer"},
      {"listeners.tls.client_ca",
       {"tls.client_auth: required", "tls.client_ca: @authority"},
       {"tls.client_ca: @stranger"},
       certified,
       "200",
       "no answer"},
      {"listeners.tls.client_auth",
       {"tls.client_auth: optional", "tls.client_ca: @authority"},
       {"tls.client_auth: required"},
       uncertified,
       "200",
       "no answer"},
      {"listeners.tls.session_tickets",
       {"tls.session_tickets: false"},
       {"tls.session_tickets: true"},
       resumes,
       "afresh",
       "resumed"},
  };
}

std::vector<Case> limit_cases() {
  return {
      {"listeners.limits.max_header_bytes",
       {},
       {"mesh.limits: {max_header_bytes: 1KiB}"},
       with_fields(1, 2000),
       "200",
       "431 headers_too_large"},
      {"listeners.limits.max_headers",
       {},
       {"mesh.limits: {max_headers: 5}"},
       with_fields(10, 1),
       "200",
       "431 headers_too_large"},
      {"listeners.limits.max_connections",
       {"mesh.limits: {max_connections: 1}"},
       {"mesh.limits: {max_connections: 100}"},
       second_connection,
       "nothing",
       "200"},
      {"listeners.limits.max_body",
       {},
       {"mesh.limits: {max_body: 10}"},
       large_body(),
       "200",
       "413 request_too_large"},
  };
}

std::vector<Case> timeout_cases() {
  return {
      {"listeners.timeouts.handshake",
       {},
       {"public.timeouts: {handshake: 200ms}"},
       handshake_that_stops,
       "nothing",
       "closed"},
      {"listeners.timeouts.headers",
       {},
       {"mesh.timeouts: {headers: 200ms}"},
       head_that_stops,
       "nothing",
       "408 request_timeout"},
      {"listeners.timeouts.body_idle",
       {},
       {"mesh.timeouts: {body_idle: 200ms}"},
       body_that_stops(),
       "nothing",
       "408 request_timeout"},
      {"listeners.timeouts.idle",
       {},
       {"mesh.timeouts: {idle: 200ms}"},
       connection_at_rest,
       "nothing",
       "closed"},
      {"listeners.timeouts.stream_idle",
       {},
       {"mesh.timeouts: {stream_idle: 200ms}"},
       reader_that_takes_nothing(),
       "held",
       "cut"},
      {"listeners.timeouts.tunnel",
       {},
       {"mesh.timeouts: {tunnel: 200ms}"},
       tunnel_at_rest(),
       "nothing",
       "closed"},
  };
}

}  // namespace

std::vector<Case> listener_cases() {
  std::vector<Case> cases{
      {"listeners",
       {},
       {"listeners+: {name: third, address: @spare_at, tls: off}"},
       answers_at(&World::spare_port),
       "refused",
       "answers",
       By::kRestart},
      {"listeners.name", {}, {"mesh.name: side"}, logged("listener"), "mesh", "side"},
      {"listeners.address",
       {},
       {"mesh.address: @spare_at"},
       answers_at(&World::spare_port),
       "refused",
       "answers",
       By::kRestart},
      {"listeners.protocols", {}, {"public.protocols: [http/1.1]"}, spoken, "h2", "http/1.1"},
      {"listeners.public_origins",
       {},
       {"public.public_origins: [https://other.example.com]"},
       order(),
       "200",
       "401 htu_mismatch"},
      {"listeners.trusted_proxies",
       {},
       {"public.trusted_proxies: [127.0.0.1/32]"},
       forwarded_for,
       "127.0.0.1",
       "192.0.2.9, 127.0.0.1"},
      {"listeners.proxy_protocol",
       {"public.trusted_proxies: [127.0.0.1/32]"},
       {"public.proxy_protocol: true"},
       order_over([](const World&) { return TlsOptions{.server_name = std::string(kHost)}; }),
       "200",
       "no answer"},
  };
  for (const auto& table : {tls_cases(), limit_cases(), timeout_cases()})
    cases.insert(cases.end(), table.begin(), table.end());
  return cases;
}

}  // namespace holdfast::integration::keys
