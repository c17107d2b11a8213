#include "settings/keys.h"

#include <limits>

#include "settings/words.h"

namespace holdfast::settings {
namespace {

constexpr milliseconds kMillisecond{1};
constexpr milliseconds kSecond{1'000};
constexpr milliseconds kHour{3'600'000};
constexpr milliseconds kYear{8'760 * kHour};

// ---- the forms of single values

Value<milliseconds> time(milliseconds least = kMillisecond, milliseconds most = kYear) {
  return scalar([least, most](std::string_view text) { return parse_time(text, least, most); });
}

template <class Whole>
Value<Whole> whole(Whole least, Whole most) {
  return converted(number([least, most](std::string_view text) {
                     return parse_whole(text, static_cast<std::uint64_t>(least),
                                        static_cast<std::uint64_t>(most));
                   }),
                   [](std::uint64_t value) { return static_cast<Whole>(value); });
}

Value<std::uint64_t> size(std::uint64_t least, std::uint64_t most) {
  return scalar([least, most](std::string_view text) { return parse_size(text, least, most); });
}

// `unlimited`, or a size; 0 is no body at all.
Value<std::uint64_t> size_or_unlimited() {
  return scalar([](std::string_view text) -> Parsed<std::uint64_t> {
    if (text == "unlimited") return kUnlimited;
    auto bytes = parse_size(text, 0, std::numeric_limits<std::int64_t>::max());
    if (!bytes) bytes.error() += ", or unlimited";
    return bytes;
  });
}

Value<std::optional<unsigned>> workers() {
  return scalar([](std::string_view text) -> Parsed<std::optional<unsigned>> {
    if (text == "auto") return std::optional<unsigned>();
    const auto count = parse_whole(text, 1, 1024);
    if (!count) return std::unexpected("auto or " + count.error());
    return static_cast<unsigned>(*count);
  });
}

// The URL as it was written, once it is known to be one.
Value<std::string> url() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    const auto parsed = parse_url(text);
    if (!parsed) return std::unexpected(parsed.error());
    return std::string(text);
  });
}

Value<std::string> algorithm() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    for (const std::string& known : known_algorithms()) {
      if (known == text) return known;
    }
    return std::unexpected(one_of(known_algorithms()));
  });
}

Value<Audiences> audiences() {
  const auto named = one_or_list(text());
  return {[named](const Node& node, const Place& place, Report& report) -> std::optional<Audiences> {
    if (node.kind == Node::Kind::kScalar && !node.quoted && node.text == "any") return Audiences{true, {}};
    auto read = named.read(node, place, report);
    if (!read) return std::nullopt;
    return Audiences{false, *std::move(read)};
  }};
}

Value<Origin> server_url() {
  return scalar([](std::string_view text) -> Parsed<Origin> {
    // HTTP/2 by prior knowledge: an http URL but for its scheme.
    constexpr std::string_view kH2c = "h2c://";
    if (!text.starts_with(kH2c)) return parse_origin(text);
    auto origin = parse_origin("http://" + std::string(text.substr(kH2c.size())));
    if (origin) origin->scheme = "h2c";
    return origin;
  });
}

Value<std::string> host() {
  return scalar(parse_host_pattern);
}
Value<std::string> path_pattern() {
  return scalar(parse_path_pattern);
}

Value<std::string> method() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    if (text == "CONNECT" || text == "TRACE")
      return std::unexpected("a method other than CONNECT and TRACE (always 405)");
    bool has_lower = false;
    for (const char c : text) has_lower = has_lower || (c >= 'a' && c <= 'z');
    if (!is_token(text) || has_lower) return std::unexpected("a method in upper case, such as GET");
    return std::string(text);
  });
}

Value<std::string> scope() {
  return scalar([](std::string_view text) -> Parsed<std::string> {
    if (!is_scope(text)) return std::unexpected("one scope, without spaces, quotes and backslashes");
    return std::string(text);
  });
}

// "" is how the model says that a header is not sent.
Value<std::string> header_name() {
  const auto name = scalar([](std::string_view text) -> Parsed<std::string> {
    if (!is_token(text)) return std::unexpected("a header name or off");
    return std::string(text);
  });
  return {[name](const Node& node, const Place& place, Report& report) -> std::optional<std::string> {
    return is_off(node) ? std::optional<std::string>("") : name.read(node, place, report);
  }};
}

Value<int> key_mismatch_status() {
  return number([](std::string_view text) -> Parsed<int> {
    if (text == "401") return 401;
    if (text == "403") return 403;
    return std::unexpected("401 or 403");
  });
}

// ---- listeners

Value<TlsVersion> tls_version() {
  return choice<TlsVersion>({{"1.2", TlsVersion::kTls12}, {"1.3", TlsVersion::kTls13}});
}

Value<CertificateFiles> certificate_files() {
  return map<CertificateFiles>({
      member<CertificateFiles>("certificate", text(), &CertificateFiles::certificate).required(),
      member<CertificateFiles>("key", text(), &CertificateFiles::key).required(),
  });
}

Value<TlsDraft> listener_tls() {
  return map<TlsDraft>({
      member<TlsDraft>("certificates", one_or_list(certificate_files()), &ListenerTls::certificates),
      member<TlsDraft>("certificate", text(), &TlsDraft::certificate),
      member<TlsDraft>("key", text(), &TlsDraft::key),
      member<TlsDraft>("min_version", tls_version(), &ListenerTls::min_version),
      member<TlsDraft>("client_ca", text(), &ListenerTls::client_ca),
      member<TlsDraft>("client_auth",
                       choice<ClientAuth>({{"none", ClientAuth::kNone},
                                           {"optional", ClientAuth::kOptional},
                                           {"required", ClientAuth::kRequired}}),
                       &ListenerTls::client_auth),
      member<TlsDraft>("session_tickets", boolean(), &ListenerTls::session_tickets),
  });
}

Value<std::vector<Protocol>> protocols() {
  return one_or_list(choice<Protocol>({{"h2", Protocol::kHttp2}, {"http/1.1", Protocol::kHttp11}}));
}

Keys<ListenerLimits> listener_limits() {
  return {
      member<ListenerLimits>("max_header_bytes", size(1024, 1024 * 1024), &ListenerLimits::max_header_bytes),
      member<ListenerLimits>("max_headers", whole<std::size_t>(1, 10'000), &ListenerLimits::max_headers),
      member<ListenerLimits>("max_connections", whole<std::size_t>(1, 10'000'000),
                             &ListenerLimits::max_connections),
      member<ListenerLimits>("max_body", size_or_unlimited(), &ListenerLimits::max_body),
  };
}

Keys<ListenerTimeouts> listener_timeouts() {
  return {
      member<ListenerTimeouts>("handshake", time(), &ListenerTimeouts::handshake),
      member<ListenerTimeouts>("headers", time(), &ListenerTimeouts::headers),
      member<ListenerTimeouts>("body_idle", time(), &ListenerTimeouts::body_idle),
      member<ListenerTimeouts>("idle", time(), &ListenerTimeouts::idle),
      member<ListenerTimeouts>("stream_idle", time(), &ListenerTimeouts::stream_idle),
      member<ListenerTimeouts>("tunnel", time(), &ListenerTimeouts::tunnel),
  };
}

Value<ListenerDraft> listener() {
  return map<ListenerDraft>({
      member<ListenerDraft>("name", text(), &Listener::name).required(),
      member<ListenerDraft>("address", scalar(parse_address), &Listener::address).required(),
      member<ListenerDraft>("tls", or_off(listener_tls()), &ListenerDraft::tls_written),
      member<ListenerDraft>("protocols", protocols(), &Listener::protocols),
      member<ListenerDraft>("public_origins", list(scalar(parse_origin)), &Listener::public_origins),
      member<ListenerDraft>("trusted_proxies", list(scalar(parse_cidr)), &Listener::trusted_proxies),
      member<ListenerDraft>("proxy_protocol", boolean(), &Listener::proxy_protocol),
      section<ListenerDraft>("limits", listener_limits(), &Listener::limits),
      section<ListenerDraft>("timeouts", listener_timeouts(), &Listener::timeouts),
  });
}

// ---- issuers

Keys<Jwks> jwks() {
  return {
      member<Jwks>("refresh", time(kSecond), &Jwks::refresh),
      member<Jwks>("min_refetch_interval", time(kSecond), &Jwks::min_refetch_interval),
      member<Jwks>("max_stale", time(kSecond), &Jwks::max_stale),
  };
}

// `mode: off` is what exists; every other key only has a meaning with another mode.
Key<IssuerDraft> introspection() {
  struct Introspection {};
  Keys<Introspection> keys;
  keys.push_back(not_yet<Introspection>("mode", {"off"}));
  for (const char* name : {"client_id", "auth", "client_secret_file", "key_file", "cache"}) {
    keys.push_back(not_yet<Introspection>(name));
  }
  const auto value = map<Introspection>(keys);
  return {"introspection", [value](const Node& node, const Place& place, IssuerDraft&, Report& report) {
            value.read(node, place, report);
          }};
}

Value<IssuerDraft> issuer() {
  return map<IssuerDraft>({
      member<IssuerDraft>("name", text(), &Issuer::name).required(),
      member<IssuerDraft>("url", url(), &Issuer::url).required(),
      member<IssuerDraft>("discovery_url", url(), &Issuer::discovery_url),
      member<IssuerDraft>("jwks_url", url(), &Issuer::jwks_url),
      member<IssuerDraft>("audiences", audiences(), &IssuerDraft::audiences_written).required(),
      member<IssuerDraft>("algorithms", one_or_list(algorithm()), &Issuer::algorithms),
      member<IssuerDraft>("token_type",
                          choice<TokenType>({{"any", TokenType::kAny}, {"at+jwt", TokenType::kAtJwt}}),
                          &Issuer::token_type),
      member<IssuerDraft>("clock_skew", time(milliseconds(0), kHour), &Issuer::clock_skew),
      member<IssuerDraft>("allow_http", boolean(), &Issuer::allow_http),
      member<IssuerDraft>("ca", text(), &Issuer::ca),
      section<IssuerDraft>("jwks", jwks(), &Issuer::jwks),
      introspection(),
  });
}

// ---- dpop

Value<NonceMode> nonce_mode() {
  return choice<NonceMode>({{"off", NonceMode::kOff}, {"required", NonceMode::kRequired}});
}

Keys<Nonce> nonce() {
  return {
      member<Nonce>("mode", nonce_mode(), &Nonce::mode),
      // a slot is a tenth of it, and a nonce must outlive a client's round trip
      member<Nonce>("lifetime", time(kSecond, 24 * kHour), &Nonce::lifetime),
      member<Nonce>("secret_file", text(), &Nonce::secret_file),
  };
}

Keys<Replay> replay() {
  return {
      not_yet<Replay>("store", {"memory"}),
      member<Replay>("capacity", whole<std::size_t>(1'000, 1'000'000'000), &Replay::capacity),
      member<Replay>("per_key", scalar(parse_share), &Replay::per_key),
      member<Replay>("cold_start",
                     choice<ColdStart>({{"fresh", ColdStart::kFresh}, {"accept", ColdStart::kAccept}}),
                     &Replay::cold_start),
      not_yet<Replay>("on_unavailable", {"refuse"}),
      not_yet<Replay>("redis"),
  };
}

Keys<Dpop> dpop() {
  return {
      member<Dpop>("algorithms", one_or_list(algorithm()), &Dpop::algorithms),
      member<Dpop>("max_age", time(kSecond, 24 * kHour), &Dpop::max_age),
      member<Dpop>("clock_skew", time(milliseconds(0), kHour), &Dpop::clock_skew),
      member<Dpop>("key_mismatch_status", key_mismatch_status(), &Dpop::key_mismatch_status),
      section<Dpop>("nonce", nonce(), &Dpop::nonce),
      section<Dpop>("replay", replay(), &Dpop::replay),
  };
}

// ---- upstreams

// A URL alone, or {url, weight}.
Value<Server> server() {
  const auto written_out = map<Server>({
      member<Server>("url", server_url(), &Server::origin).required(),
      member<Server>("weight", whole<unsigned>(1, 1'000), &Server::weight),
  });
  const auto alone = converted(server_url(), [](Origin origin) { return Server{std::move(origin), 1}; });
  return {[=](const Node& node, const Place& place, Report& report) {
    return node.kind == Node::Kind::kMap ? written_out.read(node, place, report)
                                         : alone.read(node, place, report);
  }};
}

Keys<UpstreamTimeouts> upstream_timeouts() {
  return {
      member<UpstreamTimeouts>("connect", time(), &UpstreamTimeouts::connect),
      member<UpstreamTimeouts>("response", time(), &UpstreamTimeouts::response),
      member<UpstreamTimeouts>("body_idle", time(), &UpstreamTimeouts::body_idle),
      member<UpstreamTimeouts>("idle", time(), &UpstreamTimeouts::idle),
  };
}

Key<Upstream> retries() {
  struct Retries {
    unsigned max = 1;
  };
  const auto value = map<Retries>({member<Retries>("max", whole<unsigned>(0, 10), &Retries::max)});
  return member<Upstream>("retries", converted(value, [](Retries read) { return read.max; }),
                          &Upstream::max_retries);
}

Keys<UpstreamTls> upstream_tls() {
  return {
      member<UpstreamTls>("ca", text(), &UpstreamTls::ca),
      member<UpstreamTls>("certificate", text(), &UpstreamTls::certificate),
      member<UpstreamTls>("key", text(), &UpstreamTls::key),
      member<UpstreamTls>("server_name", scalar([](std::string_view text) -> Parsed<std::string> {
                            auto name = parse_host_pattern(text);
                            if (name && !name->contains('*')) return name;
                            return std::unexpected("a host name");
                          }),
                          &UpstreamTls::server_name),
  };
}

Value<Upstream> upstream() {
  return map<Upstream>({
      member<Upstream>("name", text(), &Upstream::name).required(),
      member<Upstream>("servers", one_or_list(server()), &Upstream::servers).required(),
      member<Upstream>(
          "balance",
          choice<Balance>({{"least_request", Balance::kLeastRequest}, {"round_robin", Balance::kRoundRobin}}),
          &Upstream::balance),
      section<Upstream>("timeouts", upstream_timeouts(), &Upstream::timeouts),
      member<Upstream>("max_connections", whole<std::size_t>(1, 10'000'000), &Upstream::max_connections),
      member<Upstream>("queue", whole<std::size_t>(0, 10'000'000), &Upstream::queue),
      not_yet<Upstream>("health"),
      not_yet<Upstream>("outlier"),
      retries(),
      section<Upstream>("tls", upstream_tls(), &Upstream::tls),
  });
}

// ---- routes

Keys<Match> match() {
  return {
      member<Match>("host", one_or_list(host()), &Match::hosts),
      member<Match>("path", one_or_list(path_pattern()), &Match::paths),
      member<Match>("methods", one_or_list(method()), &Match::methods),
  };
}

Key<Require> roles() {
  const Keys<Require> keys{
      member<Require>("any", one_or_list(text()), &Require::roles_any),
      member<Require>("all", one_or_list(text()), &Require::roles_all),
  };
  return {"roles", [keys](const Node& node, const Place& place, Require& require, Report& report) {
            if (node.kind == Node::Kind::kMap) {
              read_map(node, place, keys, require, report);
            } else {
              refuse(node, place, report, "a map with any or all");
            }
          }};
}

Keys<Require> require() {
  return {
      member<Require>("scopes", one_or_list(scope()), &Require::scopes),
      roles(),
      not_yet<Require>("claims"),
      not_yet<Require>("acr"),
      not_yet<Require>("max_auth_age"),
  };
}

Value<RouteDraft> route() {
  return map<RouteDraft>({
      member<RouteDraft>("name", text(), &Route::name).required(),
      section<RouteDraft>("match", match(), &Route::match),
      member<RouteDraft>("access",
                         choice<Access>({{"dpop", Access::kDpop},
                                         {"dpop_or_bearer", std::nullopt},
                                         {"public", Access::kPublic},
                                         {"deny", Access::kDeny}}),
                         &Route::access),
      member<RouteDraft>("issuers", one_or_list(text()), &RouteDraft::issuer_names),
      not_yet<RouteDraft>("resource"),
      section<RouteDraft>("require", require(), &Route::require),
      member<RouteDraft>("nonce", nonce_mode(), &RouteDraft::own_nonce),
      not_yet<RouteDraft>("enforce", {"true"}),
      member<RouteDraft>("upstream", text(), &RouteDraft::upstream_name),
      member<RouteDraft>("strip_prefix", path_pattern(), &Route::strip_prefix),
      not_yet<RouteDraft>("cors", {"off"}),
      not_yet<RouteDraft>("close_at_expiry", {"false"}),
      not_yet<RouteDraft>("timeouts"),
      not_yet<RouteDraft>("limits"),
  });
}

// ---- the rest

Key<Draft> identity() {
  const Keys<IdentityHeaders> headers{
      member<IdentityHeaders>("sub", header_name(), &IdentityHeaders::sub),
      member<IdentityHeaders>("client_id", header_name(), &IdentityHeaders::client_id),
      member<IdentityHeaders>("preferred_username", header_name(), &IdentityHeaders::preferred_username),
      member<IdentityHeaders>("email", header_name(), &IdentityHeaders::email),
      member<IdentityHeaders>("scope", header_name(), &IdentityHeaders::scope),
      member<IdentityHeaders>("roles", header_name(), &IdentityHeaders::roles),
      member<IdentityHeaders>("iss", header_name(), &IdentityHeaders::iss),
      member<IdentityHeaders>("jkt", header_name(), &IdentityHeaders::jkt),
  };
  const Keys<Draft> keys{
      section<Draft>("headers", headers, &Settings::identity_headers),
      not_yet<Draft>("assertion"),
      {"client_certificate",
       [name = header_name()](const Node& node, const Place& place, Draft& draft, Report& report) {
         if (auto read = name.read(node, place, report)) {
           draft.identity_headers.client_certificate = *std::move(read);
         }
       }},
  };
  return {"identity", [keys](const Node& node, const Place& place, Draft& draft, Report& report) {
            if (node.kind == Node::Kind::kMap) {
              read_map(node, place, keys, draft, report);
            } else {
              refuse(node, place, report, "a map");
            }
          }};
}

Key<Draft> probes() {
  struct Probes {
    Address address{"", 9080};
  };
  const auto value =
      or_off(map<Probes>({member<Probes>("address", scalar(parse_address), &Probes::address)}));
  return member<Draft>("probes",
                       converted(value,
                                 [](std::optional<Probes> read) {
                                   return read ? std::optional<Address>(read->address) : std::nullopt;
                                 }),
                       &Settings::probes);
}

// ADDRESS, or unix:PATH.
Parsed<Admin> parse_admin_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  Admin admin;
  if (text.starts_with(kUnix)) {
    text.remove_prefix(kUnix.size());
    // sun_path holds 108 bytes with its NUL (unix(7))
    if (text.empty() || text.size() > 100) return std::unexpected("unix: and a path of at most 100 bytes");
    admin.socket = std::filesystem::path(text);
    return admin;
  }
  const auto address = parse_address(text);
  if (!address) return std::unexpected(address.error() + ", or unix:PATH");
  admin.address = *address;
  return admin;
}

Key<Draft> admin() {
  struct AdminDraft {
    Admin at;  // the address alone
    std::optional<std::string> token_file;
    std::vector<std::string> hosts;
  };
  const auto whole = map<AdminDraft>({
      member<AdminDraft>("address", scalar(parse_admin_address), &AdminDraft::at),
      member<AdminDraft>("token_file", text(), &AdminDraft::token_file),
      member<AdminDraft>("hosts", one_or_list(scalar([](std::string_view text) -> Parsed<std::string> {
                           auto host = parse_host_pattern(text);
                           if (host && !host->contains('*')) return host;
                           return std::unexpected("a host name or an address");
                         })),
                         &AdminDraft::hosts),
  });
  const auto value = or_off(converted(whole, [](AdminDraft draft) {
    Admin admin = std::move(draft.at);
    if (draft.token_file) admin.token_file = *std::move(draft.token_file);
    admin.hosts = std::move(draft.hosts);
    return admin;
  }));
  const auto alone = scalar(parse_admin_address);
  return {"admin", [=](const Node& node, const Place& place, Draft& draft, Report& report) {
            if (node.kind == Node::Kind::kScalar && !is_off(node)) {
              if (auto read = alone.read(node, place, report)) draft.admin = *std::move(read);
            } else if (auto read = value.read(node, place, report)) {
              draft.admin = *std::move(read);
            }
          }};
}

Keys<Log> log() {
  return {
      member<Log>("level",
                  choice<LogLevel>({{"trace", LogLevel::kTrace},
                                    {"debug", LogLevel::kDebug},
                                    {"info", LogLevel::kInfo},
                                    {"warning", LogLevel::kWarning},
                                    {"error", LogLevel::kError}}),
                  &Log::level),
      not_yet<Log>("format", {"json"}),
      member<Log>("access",
                  choice<AccessLog>(
                      {{"all", AccessLog::kAll}, {"denied", AccessLog::kDenied}, {"off", AccessLog::kOff}}),
                  &Log::access),
  };
}

Keys<Reload> reload() {
  return {member<Reload>("watch", boolean(), &Reload::watch)};
}

Keys<Shutdown> shutdown() {
  return {
      member<Shutdown>("delay", time(milliseconds(0), kHour), &Shutdown::delay),
      member<Shutdown>("drain", time(milliseconds(0), 24 * kHour), &Shutdown::drain),
  };
}

}  // namespace

const std::vector<std::string>& known_algorithms() {
  static const std::vector<std::string> names = Dpop().algorithms;
  return names;
}

const Keys<Draft>& file_keys() {
  static const Keys<Draft> keys{
      member<Draft>("issuer", url(), &Draft::issuer),
      member<Draft>("audience", audiences(), &Draft::audience),
      member<Draft>("upstream", server_url(), &Draft::upstream),
      member<Draft>("workers", workers(), &Settings::workers),
      member<Draft>("listeners", list(listener()), &Draft::listeners_written),
      member<Draft>("issuers", list(issuer()), &Draft::issuers_written),
      section<Draft>("dpop", dpop(), &Settings::dpop),
      member<Draft>("upstreams", list(upstream()), &Draft::upstreams_written),
      member<Draft>("routes", list(route()), &Draft::routes_written),
      identity(),
      probes(),
      admin(),
      section<Draft>("log", log(), &Settings::log),
      not_yet<Draft>("cors", {"off"}),
      section<Draft>("reload", reload(), &Settings::reload),
      section<Draft>("shutdown", shutdown(), &Settings::shutdown),
  };
  return keys;
}

}  // namespace holdfast::settings
