// Forwarding fields: see the header. RFC 7239 4:
//   Forwarded = element *( OWS "," OWS element )   element = [ pair ] *( ";" [ pair ] )   pair = token "=" (
//   token / quoted )
#include "http/forwarded.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "http/field_name.h"

namespace holdfast::http {
namespace {

struct ForwardedPair {
  std::size_t element;
  std::string_view name;
  std::string value;
};

// Takes a token or a quoted-string from the front of `rest`; false where there is neither.
bool take_value(std::string_view& rest, std::string& value) {
  if (!rest.starts_with('"')) {
    // Many write for=[::1]:80 and host=a:8443 without the quotes that the grammar asks for; nothing else
    // reads into it.
    const auto end = std::ranges::find_if_not(
        rest, [](char c) { return is_token_char(c) || c == ':' || c == '[' || c == ']'; });
    value.assign(rest.begin(), end);
    rest.remove_prefix(value.size());
    return !value.empty();
  }
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return true;
    }
    if (rest[i] == '\\' && ++i == rest.size()) return false;
    value += rest[i];
  }
  return false;
}

// All pairs of all Forwarded fields, elements numbered through; nothing where the grammar is broken.
std::optional<std::vector<ForwardedPair>> parse_pairs(const Fields& fields) {
  std::vector<ForwardedPair> pairs;
  std::size_t element = 0;
  for (const Field& field : fields) {
    if (!iequals(field.name, "forwarded")) continue;
    std::string_view rest = trim_ows(field.value);
    while (!rest.empty()) {
      if (rest[0] == ';' || rest[0] == ',') {
        if (rest[0] == ',') ++element;
        rest = trim_ows(rest.substr(1));
        continue;
      }
      const std::size_t equals = rest.find('=');
      if (equals == 0 || equals == std::string_view::npos) return std::nullopt;
      ForwardedPair pair{element, rest.substr(0, equals), {}};
      rest.remove_prefix(equals + 1);
      if (!std::ranges::all_of(pair.name, is_token_char) || !take_value(rest, pair.value))
        return std::nullopt;
      pairs.push_back(std::move(pair));
      rest = trim_ows(rest);
      if (!rest.empty() && rest[0] != ';' && rest[0] != ',') return std::nullopt;
    }
    ++element;
  }
  return pairs;
}

// The one value of a field that may stand once and hold one value.
Checked<std::optional<std::string_view>> single_value(const Fields& fields, std::string_view name) {
  const auto value = fields.find(name);
  if (!value) return std::nullopt;
  if (fields.count(name) > 1 || value->contains(',')) {
    return refuse(Reason::request_malformed, std::string(name) + " holds several values");
  }
  return value;
}

// A port that goes without saying may be said by one field and not by the other: Spring Cloud Gateway sends
// X-Forwarded-Port: 443 beside a Forwarded without port.
bool same_authority(const Authority& a, const Authority& b, Scheme scheme) {
  return a.host == b.host && a.port.value_or(default_port(scheme)) == b.port.value_or(default_port(scheme));
}

// Settles one fact that several fields may state.
template <typename T>
bool agree(std::optional<T>& fact, const T& stated) {
  if (!fact) fact = stated;
  return *fact == stated;
}

Checked<void> read_x_forwarded(const Fields& fields, Forwarded& forwarded) {
  const auto proto = single_value(fields, "X-Forwarded-Proto");
  if (!proto) return std::unexpected(proto.error());
  if (*proto) {
    forwarded.proto = parse_scheme(**proto);
    if (!forwarded.proto)
      return refuse(Reason::request_malformed, "X-Forwarded-Proto is neither http nor https");
  }
  const auto host = single_value(fields, "X-Forwarded-Host");
  if (!host) return std::unexpected(host.error());
  const auto port = single_value(fields, "X-Forwarded-Port");
  if (!port) return std::unexpected(port.error());
  if (!*host) return {};
  forwarded.host = parse_authority(**host);
  if (!forwarded.host) return refuse(Reason::request_malformed, "X-Forwarded-Host is not a host");
  if (*port) {
    const auto with_port = parse_authority(forwarded.host->host + ":" + std::string(**port));
    if (!with_port) return refuse(Reason::request_malformed, "X-Forwarded-Port is not a port");
    if (!agree(forwarded.host->port, *with_port->port)) {
      return refuse(Reason::request_malformed, "X-Forwarded-Host and X-Forwarded-Port disagree");
    }
  }
  return {};
}

Checked<void> read_forwarded(const Fields& fields, Scheme scheme, Forwarded& forwarded) {
  const auto pairs = parse_pairs(fields);
  if (!pairs) return refuse(Reason::request_malformed, "Forwarded does not parse");
  const std::size_t elements = pairs->empty() ? 0 : pairs->back().element + 1;
  std::size_t protos = 0;
  std::size_t hosts = 0;
  std::optional<Authority> stated;
  for (const ForwardedPair& pair : *pairs) {
    const bool is_proto = iequals(pair.name, "proto");
    if (!is_proto && !iequals(pair.name, "host")) continue;
    // An element in front of the nearest proxy's own may be the client's invention.
    if (elements > 1 || ++(is_proto ? protos : hosts) > 1) {
      return refuse(Reason::request_malformed, "Forwarded holds several values");
    }
    if (is_proto) {
      const auto proto = parse_scheme(pair.value);
      if (!proto || !agree(forwarded.proto, *proto)) {
        return refuse(Reason::request_malformed, "Forwarded disagrees with X-Forwarded-Proto, or is odd");
      }
    } else {
      stated = parse_authority(pair.value);
      if (!stated) return refuse(Reason::request_malformed, "Forwarded names an odd host");
    }
  }
  if (!stated) return {};
  if (!forwarded.host) {
    forwarded.host = std::move(stated);
  } else if (!same_authority(*forwarded.host, *stated, forwarded.proto.value_or(scheme))) {
    return refuse(Reason::request_malformed, "Forwarded disagrees with X-Forwarded-Host");
  }
  return {};
}

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:80"
std::optional<IpAddress> parse_node(std::string_view node) {
  if (node.starts_with('[')) return IpAddress::parse(node.substr(1, node.find(']') - 1));
  if (std::ranges::count(node, ':') == 1) node = node.substr(0, node.find(':'));
  return IpAddress::parse(node);
}

std::vector<std::string> forwarded_for(const Fields& fields) {
  std::vector<std::string> nodes;
  if (!fields.contains("X-Forwarded-For")) {
    auto pairs = parse_pairs(fields);
    if (!pairs) return nodes;
    for (ForwardedPair& pair : *pairs) {
      if (iequals(pair.name, "for")) nodes.push_back(std::move(pair.value));
    }
    return nodes;
  }
  for (const Field& field : fields) {
    if (!iequals(field.name, "X-Forwarded-For")) continue;
    for (std::string_view rest = field.value;;) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      nodes.emplace_back(trim_ows(rest.substr(0, comma)));
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return nodes;
}

}  // namespace

bool is_forwarding_field(std::string_view name) {
  if (name.empty()) return false;
  switch (ascii_lower(name[0])) {
    case 'x':
      return name_starts_with(name, "x-forwarded-") || name_is(name, "x-forwarded") ||
             name_is(name, "x-real-ip") || name_starts_with(name, "x-original-") ||
             name_is(name, "x-rewrite-url") || name_starts_with(name, "x-http-method") ||
             name_is(name, "x-method-override") || name_starts_with(name, "x-ssl-") ||
             name_starts_with(name, "x-tls-client-") || name_starts_with(name, "x-client-cert") ||
             name_is(name, "x-client-verify") || name_is(name, "x-client-dn") ||
             name_is(name, "x-arr-clientcert") || name_starts_with(name, "x-amzn-mtls-");
    case 'f':
      return name_is(name, "forwarded");
    case 'c':
      return name_starts_with(name, "client-cert");
    case 's':
      return name_starts_with(name, "ssl-client-");
    default:
      return false;
  }
}

Checked<Forwarded> parse_forwarded(const Fields& fields, Scheme scheme) {
  Forwarded forwarded;
  if (const auto read = read_x_forwarded(fields, forwarded); !read) return std::unexpected(read.error());
  if (const auto read = read_forwarded(fields, scheme, forwarded); !read) {
    return std::unexpected(read.error());
  }
  return forwarded;
}

IpAddress client_address(const Fields& fields, const IpAddress& peer, const std::vector<Cidr>& trusted) {
  IpAddress client = peer;
  if (!any_contains(trusted, peer)) return client;
  const std::vector<std::string> nodes = forwarded_for(fields);
  for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
    const auto address = parse_node(*node);
    if (!address) break;
    client = *address;
    if (!any_contains(trusted, client)) break;
  }
  return client;
}

}  // namespace holdfast::http
