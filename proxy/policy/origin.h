// Which origin a request is for. A proof counts for one origin only, or a hostile API could relay here what
// it was sent. The origin is the listener's scheme and Host, or what a trusted proxy forwarded in their
// place; it is known when it is one of the listener's public origins or, without those, a name in the
// certificate that this connection was served, or loopback on a plain listener. Route hosts, `htu` and
// X-Forwarded-Host all use what is decided here. Pure; any thread.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/reason.h"
#include "http/ip_address.h"
#include "http/message.h"
#include "http/origin.h"

namespace holdfast::policy {

// Of one listener.
struct OriginRules {
  http::Scheme scheme = http::Scheme::https;
  std::vector<http::Origin> public_origins;
  std::vector<http::Cidr> trusted_proxies;  // only beside public_origins
};

// Of one connection.
struct ConnectionFacts {
  http::IpAddress peer;
  std::span<const std::string>
      certificate_names;  // DNS names ("*.example.com" too) and IP addresses of the one served
};

struct RequestOrigin {
  http::Origin origin;  // its host is empty where the request named none
  bool known = false;   // if not, no protected route takes the request: 421 origin_unknown
  bool from_trusted_proxy = false;
};

// request_malformed where Host is odd, or a trusted proxy's fields disagree or hold several values.
[[nodiscard]] Checked<RequestOrigin> decide_origin(const OriginRules& rules,
                                                   const ConnectionFacts& connection,
                                                   const http::RequestHead& head);

// The refusal for an origin that is not known.
[[nodiscard]] Refusal origin_unknown(const http::Origin& origin);

// RFC 6125 6.4.3: does a certificate's name cover `host`? A wildcard stands for exactly one leftmost label.
[[nodiscard]] bool certificate_name_covers(std::string_view name, std::string_view host);

}  // namespace holdfast::policy
