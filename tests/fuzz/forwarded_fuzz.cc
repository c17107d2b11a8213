// Fields of a request's head from outside, one "name: value" a line, through what reads them: forwarding
// fields, Connection, addresses, and the gathering of credentials. No input may crash, and what is refused
// once stays refused.
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "http/ip_address.h"
#include "policy/credentials.h"
#include "policy/origin.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  http::RequestHead head;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() < rest.size() ? line.size() + 1 : line.size());
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) {
      if (const auto address = http::IpAddress::parse(line)) {
        require(http::IpAddress::parse(address->text()) == address);
        require(http::IpAddress::parse(address->text_as_v6()) == address);
      }
      if (const auto block = http::Cidr::parse(line)) {
        const auto base = http::IpAddress::parse(line.substr(0, line.find('/')));
        require(base && (block->contains(*base) || base->is_v4()));
      }
      continue;
    }
    head.fields.add(line.substr(0, colon), trim_ows(line.substr(colon + 1)));
  }
  head.authority = head.fields.find("host").value_or("");

  static const policy::OriginRules rules = {
      http::Scheme::https,
      {*http::parse_origin("https://a"), *http::parse_origin("https://b:8443")},
      {*http::Cidr::parse("10.0.0.0/8")}};
  const http::IpAddress proxy = *http::IpAddress::parse("10.0.0.1");
  if (const auto origin = policy::decide_origin(rules, {proxy, {}}, head); origin && origin->known()) {
    require(origin->origin().text() == "https://a" || origin->origin().text() == "https://b:8443");
  }
  (void)http::client_address(head.fields, proxy, rules.trusted_proxies);

  for (const policy::Access access : {policy::Access::dpop, policy::Access::dpop_or_bearer}) {
    if (const auto credentials = policy::gather_credentials(head.fields, access)) {
      require(!credentials->token.empty() && head.fields.count("authorization") == 1);
      require(credentials->scheme == policy::tried_scheme(head.fields));
      require(credentials->scheme == policy::AuthScheme::dpop ? head.fields.count("dpop") == 1
                                                              : access == policy::Access::dpop_or_bearer);
    }
  }

  http::remove_hop_by_hop(head.fields);
  for (const http::Field& field : head.fields) require(!http::is_hop_by_hop(field.name));
  require(http::remove_hop_by_hop(head.fields) == 0);
  http::remove_forbidden_trailers(head.fields);
  require(http::remove_forbidden_trailers(head.fields) == 0);
  return 0;
}
