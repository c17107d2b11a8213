// Origins: see the header, and the contract's "Origins".
#include "policy/origin.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "http/forwarded.h"

namespace holdfast::policy {
namespace {

// Where a request says it goes, by whoever is believed.
struct Claimed {
  http::Scheme scheme;
  std::optional<http::Authority> authority;
  bool by_trusted_proxy = false;
  bool scheme_forwarded = false;
  bool host_forwarded = false;
};

Checked<Claimed> claimed_origin(const OriginRules& rules, const ConnectionFacts& connection,
                                const http::RequestHead& head) {
  Claimed claimed{.scheme = rules.scheme, .authority = std::nullopt};
  // Codecs check this too; here it covers whatever speaks a protocol that is still to come.
  if (head.fields.count("host") > 1) return refuse(Reason::request_malformed, "more than one Host field");
  if (!head.authority.empty()) {
    claimed.authority = http::parse_authority(head.authority);
    if (!claimed.authority) return refuse(Reason::request_malformed, "Host is not a host");
  }
  if (!http::any_contains(rules.trusted_proxies, connection.peer)) return claimed;
  claimed.by_trusted_proxy = true;
  auto forwarded = http::parse_forwarded(head.fields, claimed.scheme);
  if (!forwarded) return std::unexpected(std::move(forwarded.error()));
  if (forwarded->proto) {
    claimed.scheme = *forwarded->proto;
    claimed.scheme_forwarded = true;
  }
  if (forwarded->host) {
    claimed.authority = std::move(forwarded->host);
    claimed.host_forwarded = true;
  }
  return claimed;
}

bool is_known_without_list(const OriginRules& rules, const ConnectionFacts& connection,
                           const std::string& host) {
  if (host.empty()) return false;
  if (rules.scheme == http::Scheme::http) return http::is_loopback_host(host);
  return std::ranges::any_of(connection.certificate_names,
                             [&](const std::string& name) { return certificate_name_covers(name, host); });
}

}  // namespace

Checked<RequestOrigin> decide_origin(const OriginRules& rules, const ConnectionFacts& connection,
                                     const http::RequestHead& head) {
  auto claimed = claimed_origin(rules, connection, head);
  if (!claimed) return std::unexpected(std::move(claimed.error()));
  const std::vector<http::Origin>& list = rules.public_origins;

  // With one public origin a proxy in front may have rewritten Host. Not so what a trusted proxy forwarded:
  // that is what the client said, and a client that says another name means another origin.
  if (list.size() == 1 && !claimed->host_forwarded &&
      (!claimed->scheme_forwarded || claimed->scheme == list[0].scheme())) {
    return RequestOrigin(list[0], claimed->by_trusted_proxy);
  }
  http::Origin origin(claimed->scheme, claimed->authority.value_or(http::Authority{}));
  if (const auto listed = std::ranges::find(list, origin); listed != list.end()) {
    return RequestOrigin(*listed, claimed->by_trusted_proxy);
  }
  const bool known = list.empty() && is_known_without_list(rules, connection, origin.host());
  return RequestOrigin(std::move(origin), known, claimed->by_trusted_proxy);
}

Refusal origin_unknown(const http::Origin& origin) {
  if (origin.host().empty()) return {Reason::origin_unknown, "the request names no host"};
  return {Reason::origin_unknown, "this request is for " + origin.text() + ", which is not served here"};
}

bool certificate_name_covers(std::string_view name, std::string_view host) {
  if (http::is_ip_literal(host)) {
    if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
    const auto named = http::IpAddress::parse(name);
    return named && named == http::IpAddress::parse(host);
  }
  if (!name.starts_with("*.")) return iequals(name, host);
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && iequals(name.substr(1), host.substr(dot));
}

}  // namespace holdfast::policy
