// The whole configuration as plain values, after defaults, shorthand and `${...}` have been dealt with (the
// contract's "Configuration"). Every relative path has been made relative to the file's folder, every name
// refers to something. Holds no key of a feature that does not exist yet: the loader names those as not yet
// supported. Read by assembly alone, which hands each part its own small struct. Values; any thread may read
// a const one.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace holdfast::settings {

using std::chrono::milliseconds;
using std::chrono::seconds;

inline constexpr std::uint64_t kUnlimited = UINT64_MAX;

// ":8443" is host "" (all addresses, IPv6 and IPv4); "[::1]:8443" is host "::1". Port 0 lets the system
// choose.
struct Address {
  std::string host;
  std::uint16_t port = 0;
  auto operator<=>(const Address&) const = default;
};

// An absolute http or https URL of a server, or h2c where an upstream's: no path, no query. `host` is
// lower-case and without brackets.
struct Origin {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;  // never 0: the scheme's default where the URL had none
  auto operator<=>(const Origin&) const = default;
};

// 10.0.0.0/8, fd00::/8, or one address (then the full length).
struct Cidr {
  std::string address;
  unsigned prefix_length = 0;
  auto operator<=>(const Cidr&) const = default;
};

struct CertificateFiles {
  std::filesystem::path certificate;  // PEM chain
  std::filesystem::path key;          // PEM private key
  bool operator==(const CertificateFiles&) const = default;
};

enum class TlsVersion { kTls12, kTls13 };

enum class ClientAuth { kNone, kOptional, kRequired };

struct ListenerTls {
  std::vector<CertificateFiles> certificates;  // never empty; chosen by SNI, the first where none fits
  TlsVersion min_version = TlsVersion::kTls12;
  std::optional<std::filesystem::path> client_ca;  // PEM; there unless client_auth is kNone
  ClientAuth client_auth = ClientAuth::kNone;
  bool session_tickets = true;
  bool operator==(const ListenerTls&) const = default;
};

struct ListenerLimits {
  std::uint64_t max_header_bytes = 64 * 1024;
  std::size_t max_headers = 100;
  std::size_t max_connections = 10000;  // of the whole process
  std::uint64_t max_body = kUnlimited;  // bytes
  bool operator==(const ListenerLimits&) const = default;
};

struct ListenerTimeouts {
  milliseconds handshake{10'000};
  milliseconds headers{10'000};
  milliseconds body_idle{60'000};
  milliseconds idle{75'000};
  milliseconds stream_idle{300'000};
  milliseconds tunnel{3'600'000};
  bool operator==(const ListenerTimeouts&) const = default;
};

enum class Protocol { kHttp2, kHttp11 };

struct Listener {
  std::string name;
  Address address;
  std::optional<ListenerTls> tls;  // nullopt: `tls: off` was written out
  std::vector<Protocol> protocols{Protocol::kHttp2, Protocol::kHttp11};  // most wanted first
  std::vector<Origin> public_origins;
  std::vector<Cidr> trusted_proxies;  // only beside public_origins
  bool proxy_protocol = false;        // only beside trusted_proxies
  ListenerLimits limits;
  ListenerTimeouts timeouts;
  bool operator==(const Listener&) const = default;
};

enum class TokenType { kAny, kAtJwt };

struct Jwks {
  milliseconds refresh{300'000};
  milliseconds min_refetch_interval{10'000};
  milliseconds max_stale{86'400'000};
  bool operator==(const Jwks&) const = default;
};

enum class IntrospectionMode { kOff, kOpaque, kAlways };
enum class ClientAuthentication { kClientSecretBasic, kPrivateKeyJwt };

// RFC 7662. Where mode is kOff nothing else counts; else there is a client_id, and the file of the way that
// `auth` names.
struct Introspection {
  IntrospectionMode mode = IntrospectionMode::kOff;
  std::optional<std::string> url;  // nullopt: found by discovery
  std::string client_id;
  ClientAuthentication auth = ClientAuthentication::kClientSecretBasic;
  std::optional<std::filesystem::path> client_secret_file;  // one line
  std::optional<std::filesystem::path> key_file;            // PEM private key
  std::string kid;                                          // what the issuer calls it; empty: nothing
  milliseconds cache{30'000};
  bool operator==(const Introspection&) const = default;
};

struct Issuer {
  std::string name;
  std::string url;  // the exact `iss`, byte for byte
  std::optional<std::string> discovery_url;
  std::optional<std::string> jwks_url;
  bool any_audience = false;           // `audiences: any`, written out
  std::vector<std::string> audiences;  // empty only with any_audience
  std::vector<std::string> algorithms{"RS256", "PS256", "ES256", "Ed25519", "EdDSA"};  // JOSE names
  TokenType token_type = TokenType::kAny;
  milliseconds clock_skew{10'000};
  bool allow_http = false;
  std::optional<std::filesystem::path> ca;  // PEM; nullopt: the system's
  Jwks jwks;
  Introspection introspection;
  bool operator==(const Issuer&) const = default;
};

enum class NonceMode { kOff, kRequired };

struct Nonce {
  NonceMode mode = NonceMode::kOff;
  milliseconds lifetime{300'000};
  std::optional<std::filesystem::path> secret_file;  // nullopt: a secret per process
  bool operator==(const Nonce&) const = default;
};

enum class ColdStart { kFresh, kAccept };

struct Replay {                      // store: memory
  std::size_t capacity = 4'000'000;  // entries
  double per_key = 0.10;             // share of capacity that one key may hold, in (0, 1]
  ColdStart cold_start = ColdStart::kFresh;
  bool operator==(const Replay&) const = default;
};

struct Dpop {
  std::vector<std::string> algorithms{"ES256", "ES384", "ES512", "PS256",   "PS384", "PS512",
                                      "RS256", "RS384", "RS512", "Ed25519", "EdDSA"};
  milliseconds max_age{60'000};
  milliseconds clock_skew{10'000};
  int key_mismatch_status = 403;  // or 401
  Nonce nonce;
  Replay replay;
  bool operator==(const Dpop&) const = default;
};

struct Server {
  Origin origin;
  unsigned weight = 1;  // 1..1000
  bool operator==(const Server&) const = default;
};

enum class Balance { kLeastRequest, kRoundRobin };

struct UpstreamTimeouts {
  milliseconds connect{2'000};
  milliseconds response{60'000};  // request sent to response head
  milliseconds body_idle{60'000};
  milliseconds idle{4'000};  // a kept connection that nobody uses
  bool operator==(const UpstreamTimeouts&) const = default;
};

struct UpstreamTls {
  std::optional<std::filesystem::path> ca;           // PEM; nullopt: the system's
  std::optional<std::filesystem::path> certificate;  // both or neither
  std::optional<std::filesystem::path> key;
  std::optional<std::string> server_name;  // nullopt: the server's host
  bool operator==(const UpstreamTls&) const = default;
};

struct Upstream {
  std::string name;
  std::vector<Server> servers;  // never empty
  Balance balance = Balance::kLeastRequest;
  UpstreamTimeouts timeouts;
  std::size_t max_connections = 1024;  // of the whole process
  std::size_t queue = 1024;
  unsigned max_retries = 1;  // retries.max
  UpstreamTls tls;
  bool operator==(const Upstream&) const = default;
};

// Each list empty: anything. Hosts are lower-case, exact or `*.example.com`, no port. Path patterns begin
// with `/`;
// `*` is one segment, `**` (last only) any rest. Methods as written (they are case-sensitive).
struct Match {
  std::vector<std::string> hosts;
  std::vector<std::string> paths;
  std::vector<std::string> methods;
  bool operator==(const Match&) const = default;
};

inline constexpr const char* kAnyOrigin = "*";

// Pages of which origins may read answers.
struct Cors {
  std::vector<std::string> origins;  // never empty; as browsers write them, or kAnyOrigin alone
  bool credentials = false;          // never with kAnyOrigin
  milliseconds max_age{600'000};
  bool operator==(const Cors&) const = default;
};

enum class Access { kDpop, kDpopOrBearer, kPublic, kDeny };

[[nodiscard]] constexpr bool asks_for_token(Access access) {
  return access == Access::kDpop || access == Access::kDpopOrBearer;
}

// By JSON type.
using ClaimValue = std::variant<bool, std::int64_t, double, std::string>;

struct ClaimRule {
  std::string path;                // as written: policy/claim_rule.h
  std::vector<ClaimValue> any_of;  // never empty
  bool operator==(const ClaimRule&) const = default;
};

struct Require {
  std::vector<std::string> scopes;     // all of them
  std::vector<std::string> roles_any;  // at least one, where not empty; CLIENT:ROLE for client roles
  std::vector<std::string> roles_all;
  std::vector<ClaimRule> claims;             // each of them
  std::vector<std::string> acr;              // one of them, where not empty
  std::optional<milliseconds> max_auth_age;  // nullopt: any
  bool operator==(const Require&) const = default;
};

// What a listener, or an upstream, sets for all, where a route says something else.
struct RouteLimits {
  std::optional<std::uint64_t> max_body;  // bytes, or kUnlimited
  bool operator==(const RouteLimits&) const = default;
};

struct RouteTimeouts {
  std::optional<milliseconds> body_idle;
  std::optional<milliseconds> stream_idle;
  std::optional<milliseconds> tunnel;
  std::optional<milliseconds> response;  // the upstream's; the others are the listener's
  bool operator==(const RouteTimeouts&) const = default;
};

struct Route {
  std::string name;
  Match match;
  Access access = Access::kDpop;
  std::vector<std::size_t> issuers;  // indexes into Settings::issuers; not empty where a token is asked for
  Require require;
  NonceMode nonce = NonceMode::kOff;    // resolved: the route's own, else dpop.nonce.mode
  std::optional<std::size_t> upstream;  // index into Settings::upstreams; nullopt only where access is kDeny
  std::string strip_prefix;             // "" or "/v1": whole segments, a prefix of every path pattern
  bool close_at_expiry = false;
  bool enforce = true;                  // false: report only; never where no token is asked for
  std::optional<std::string> resource;  // RFC 9728's identifier, a URL; nullopt: a public origin
  std::optional<Cors> cors;             // resolved: the route's own, else Settings::cors; nullopt: off
  RouteTimeouts timeouts;
  RouteLimits limits;
  bool operator==(const Route&) const = default;
};

// Header names; an empty one is not sent.
struct IdentityHeaders {
  std::string sub = "X-Auth-Subject";
  std::string client_id = "X-Auth-Client-Id";
  std::string preferred_username = "X-Auth-Username";
  std::string email = "X-Auth-Email";
  std::string scope = "X-Auth-Scope";
  std::string roles = "X-Auth-Roles";
  std::string iss = "X-Auth-Issuer";
  std::string jkt = "X-Auth-Key-Thumbprint";
  std::string client_certificate;  // identity.client_certificate: the subject of the client's certificate
  bool operator==(const IdentityHeaders&) const = default;
};

// A signed JWT for the backend.
struct Assertion {
  std::string header = "X-Auth-Assertion";
  std::filesystem::path key;                          // PEM, P-256
  std::optional<std::filesystem::path> previous_key;  // PEM, P-256: published, signs nothing
  std::optional<std::string> audience;                // nullopt: the upstream's name
  std::string issuer = "holdfast";
  milliseconds lifetime{60'000};
  bool operator==(const Assertion&) const = default;
};

enum class LogLevel { kTrace, kDebug, kInfo, kWarning, kError };
enum class AccessLog { kAll, kDenied, kOff };

struct Log {
  LogLevel level = LogLevel::kInfo;
  AccessLog access = AccessLog::kAll;
  bool operator==(const Log&) const = default;
};

// Over TCP, or over a UNIX socket where `socket` is set.
struct Admin {
  Address address{"127.0.0.1", 9081};
  std::optional<std::filesystem::path> socket;
  std::optional<std::filesystem::path> token_file;  // nullopt: pages only, no actions
  std::vector<std::string> hosts;                   // taken in Host beside loopback; lower-case, without port
  bool operator==(const Admin&) const = default;
};

struct Reload {
  bool watch = false;  // also when the file changes
  bool operator==(const Reload&) const = default;
};

struct Shutdown {
  milliseconds delay{5'000};
  milliseconds drain{20'000};
  bool operator==(const Shutdown&) const = default;
};

struct Settings {
  std::filesystem::path file;           // as it was named to the loader
  std::optional<unsigned> workers;      // nullopt: auto
  std::optional<std::uint64_t> memory;  // bytes; nullopt: auto
  std::vector<Listener> listeners;      // never empty
  std::vector<Issuer> issuers;          // may be empty where no route asks for a token
  Dpop dpop;
  std::vector<Upstream> upstreams;
  std::vector<Route> routes;  // never empty; first match wins
  std::optional<Cors> cors;   // of answers that belong to no route; nullopt: off
  IdentityHeaders identity_headers;
  std::optional<Assertion> assertion;                 // nullopt: `off`, the default
  std::optional<Address> probes = Address{"", 9080};  // nullopt: `probes: off`
  std::optional<Admin> admin;                         // nullopt: `admin: off`
  Log log;
  Reload reload;
  Shutdown shutdown;
  bool operator==(const Settings&) const = default;
};

}  // namespace holdfast::settings
