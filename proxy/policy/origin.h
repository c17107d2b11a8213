// Which origin a request is for. A proof counts for one origin only, or a hostile API could relay here what
// it was sent. The origin is the listener's scheme and Host, or what a trusted proxy forwarded in their
// place; it is known when it is one of the listener's public origins or, without those, a name in the
// certificate that this connection was served, or loopback on a plain listener. Route hosts, `htu` and
// X-Forwarded-Host all use what is decided here. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <utility>
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

class RequestOrigin {
 public:
  // One of the rules' own, which outlive this.
  RequestOrigin(const http::Origin& listed, bool from_trusted_proxy)
      : listed_(&listed), known_(true), from_trusted_proxy_(from_trusted_proxy) {}
  RequestOrigin(http::Origin origin, bool known, bool from_trusted_proxy)
      : own_(std::move(origin)), known_(known), from_trusted_proxy_(from_trusted_proxy) {}

  // Its host is empty where the request named none.
  [[nodiscard]] const http::Origin& origin() const { return listed_ != nullptr ? *listed_ : *own_; }
  // If not, no protected route takes the request: 421 origin_unknown.
  [[nodiscard]] bool known() const { return known_; }
  [[nodiscard]] bool from_trusted_proxy() const { return from_trusted_proxy_; }

 private:
  const http::Origin* listed_ = nullptr;
  std::optional<http::Origin> own_;
  bool known_;
  bool from_trusted_proxy_;
};

// request_malformed where Host is odd, or a trusted proxy's fields disagree or hold several values. `rules`
// outlives the result.
[[nodiscard]] Checked<RequestOrigin> decide_origin(const OriginRules& rules,
                                                   const ConnectionFacts& connection,
                                                   const http::RequestHead& head);

// The refusal for an origin that is not known.
[[nodiscard]] Refusal origin_unknown(const http::Origin& origin);

// RFC 6125 6.4.3: does a certificate's name cover `host`? A wildcard stands for exactly one leftmost label.
[[nodiscard]] bool certificate_name_covers(std::string_view name, std::string_view host);

}  // namespace holdfast::policy
