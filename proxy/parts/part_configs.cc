#include "parts/part_configs.h"

#include <algorithm>

#include "http/origin.h"
#include "net/tls_client.h"
#include "net/tls_server.h"
#include "parts/client_credentials.h"
#include "parts/compile_rules.h"

namespace holdfast::parts {
namespace {

pipeline::Level level(settings::LogLevel from) {
  switch (from) {
    case settings::LogLevel::kTrace:
    case settings::LogLevel::kDebug:
      return pipeline::Level::kDebug;
    case settings::LogLevel::kInfo:
      return pipeline::Level::kInfo;
    case settings::LogLevel::kWarning:
      return pipeline::Level::kWarn;
    case settings::LogLevel::kError:
      break;
  }
  return pipeline::Level::kError;
}

telemetry::AccessMode access_mode(settings::AccessLog from) {
  switch (from) {
    case settings::AccessLog::kAll:
      return telemetry::AccessMode::kAll;
    case settings::AccessLog::kDenied:
      return telemetry::AccessMode::kDenied;
    case settings::AccessLog::kOff:
      break;
  }
  return telemetry::AccessMode::kOff;
}

net::ClientAuth client_auth(settings::ClientAuth from) {
  switch (from) {
    case settings::ClientAuth::kNone:
      return net::ClientAuth::kNone;
    case settings::ClientAuth::kOptional:
      return net::ClientAuth::kOptional;
    case settings::ClientAuth::kRequired:
      break;
  }
  return net::ClientAuth::kRequired;
}

std::string text_of(const settings::Origin& origin) {
  return origin.scheme + "://" + http::host_and_port(origin.host, origin.port);
}

std::optional<issuer::IntrospectionSettings> introspection_of(const settings::Introspection& from) {
  if (from.mode == settings::IntrospectionMode::kOff) return std::nullopt;
  return issuer::IntrospectionSettings{.url = from.url.value_or(""),
                                       .credentials = or_fail(read_client_credentials(from)),
                                       .cache = from.cache};
}

issuer::IssuerSettings issuer_of(const settings::Issuer& from) {
  return {.name = from.name,
          .url = from.url,
          .discovery_url = from.discovery_url.value_or(""),
          .jwks_url = from.jwks_url.value_or(""),
          .allow_http = from.allow_http,
          .ca_file = from.ca ? from.ca->string() : "",
          .introspection = introspection_of(from.introspection),
          .refresh = from.jwks.refresh,
          .min_refetch_interval = from.jwks.min_refetch_interval,
          .max_stale = from.jwks.max_stale};
}

}  // namespace

std::optional<pipeline::Level> log_level_named(std::string_view word) {
  using settings::LogLevel;
  if (word == "trace") return level(LogLevel::kTrace);
  if (word == "debug") return level(LogLevel::kDebug);
  if (word == "info") return level(LogLevel::kInfo);
  if (word == "warning") return level(LogLevel::kWarning);
  if (word == "error") return level(LogLevel::kError);
  return std::nullopt;
}

telemetry::LogSettings log_settings(const settings::Log& from) {
  return {.level = level(from.level), .access = access_mode(from.access)};
}

replay::MemoryStoreSettings replay_settings(const settings::Replay& from) {
  const auto share = static_cast<std::size_t>(static_cast<double>(from.capacity) * from.per_key);
  return {.capacity = from.capacity,
          .per_key = std::max<std::size_t>(share, 1),
          .cold_start_fresh = from.cold_start == settings::ColdStart::kFresh};
}

std::vector<issuer::IssuerSettings> issuer_settings(const settings::Settings& settings) {
  std::vector<issuer::IssuerSettings> issuers;
  for (const settings::Issuer& each : settings.issuers) issuers.push_back(issuer_of(each));
  return issuers;
}

std::shared_ptr<const listener::Config> listener_config(const settings::Listener& from, std::size_t index,
                                                        std::size_t max_connections,
                                                        std::shared_ptr<listener::ClientTally> tally,
                                                        std::shared_ptr<const net::TicketKeys> ticket_keys) {
  auto config = std::make_shared<listener::Config>();
  config->tally = std::move(tally);
  config->index = index;
  config->name = from.name;
  config->limits.max_header_bytes = from.limits.max_header_bytes;
  config->limits.max_headers = from.limits.max_headers;
  config->limits.max_connections = max_connections;
  config->timeouts.handshake = from.timeouts.handshake;
  config->timeouts.headers = from.timeouts.headers;
  config->timeouts.body_idle = from.timeouts.body_idle;
  config->timeouts.idle = from.timeouts.idle;
  if (from.proxy_protocol) config->proxies = blocks(from.trusted_proxies);
  config->timeouts.stream_idle = from.timeouts.stream_idle;
  config->timeouts.tunnel = from.timeouts.tunnel;
  const auto speaks = [&from](settings::Protocol protocol) {
    return std::ranges::find(from.protocols, protocol) != from.protocols.end();
  };
  config->protocols = {.http1 = speaks(settings::Protocol::kHttp11),
                       .http2 = speaks(settings::Protocol::kHttp2)};
  if (!from.tls) return config;
  net::TlsServerConfig tls;
  tls.protocols.clear();
  for (const settings::Protocol each : from.protocols) {
    tls.protocols.emplace_back(each == settings::Protocol::kHttp2 ? "h2" : "http/1.1");
  }
  for (const settings::CertificateFiles& files : from.tls->certificates) {
    tls.certificates.push_back({files.certificate.string(), files.key.string()});
  }
  tls.min_version =
      from.tls->min_version == settings::TlsVersion::kTls13 ? net::TlsVersion::k13 : net::TlsVersion::k12;
  tls.client_auth = client_auth(from.tls->client_auth);
  if (from.tls->client_ca) tls.client_ca = from.tls->client_ca->string();
  tls.session_tickets = from.tls->session_tickets;
  tls.ticket_keys = std::move(ticket_keys);
  config->tls = or_fail(net::TlsServerContext::create(tls));
  return config;
}

upstream::Config upstream_config(const settings::Upstream& from) {
  upstream::Config config;
  config.name = from.name;
  bool tls = false;
  for (const settings::Server& server : from.servers) {
    tls = tls || server.origin.scheme == "https";
    config.servers.push_back({.name = text_of(server.origin),
                              .tls = server.origin.scheme == "https",
                              .http2 = server.origin.scheme == "h2c",
                              .server_name = from.tls.server_name.value_or(server.origin.host),
                              .weight = server.weight});
  }
  config.balance = from.balance == settings::Balance::kRoundRobin ? upstream::Balance::kRoundRobin
                                                                  : upstream::Balance::kLeastRequest;
  config.timeouts = {.connect = from.timeouts.connect,
                     .response = from.timeouts.response,
                     .body_idle = from.timeouts.body_idle,
                     .idle = from.timeouts.idle};
  config.max_connections = static_cast<std::uint32_t>(from.max_connections);
  config.queue = static_cast<std::uint32_t>(from.queue);
  config.max_retries = from.max_retries;
  if (tls) {
    const auto path = [](const std::optional<std::filesystem::path>& file) {
      return file ? file->string() : std::string();
    };
    config.tls = or_fail(net::TlsClientContext::create({.ca = path(from.tls.ca),
                                                        .certificate = path(from.tls.certificate),
                                                        .key = path(from.tls.key),
                                                        .protocols = {"h2", "http/1.1"}}));
  }
  return config;
}

}  // namespace holdfast::parts
