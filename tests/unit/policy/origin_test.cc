#include "policy/origin.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <vector>

namespace holdfast::policy {
namespace {

using http::Scheme;
using Texts = std::vector<std::string>;

constexpr std::string_view kStranger = "192.0.2.1";
constexpr std::string_view kProxy = "10.0.0.1";

struct Case {
  std::string_view what;
  Scheme scheme;
  Texts origins;
  Texts names;  // of the certificate
  std::string_view peer;
  std::string_view host;
  std::vector<http::Field> fields;
  std::string_view expected;  // "origin known", "origin unknown", or "refused"
};

std::string decide(const Case& c) {
  OriginRules rules;
  rules.scheme = c.scheme;
  for (const std::string& origin : c.origins) rules.public_origins.push_back(*http::parse_origin(origin));
  if (!c.origins.empty()) rules.trusted_proxies.push_back(*http::Cidr::parse("10.0.0.0/8"));
  http::RequestHead head;
  head.authority = c.host;
  for (const http::Field& field : c.fields) head.fields.add(field.name, field.value);
  const auto decided = decide_origin(rules, {*http::IpAddress::parse(c.peer), c.names}, head);
  if (!decided) {
    EXPECT_EQ(decided.error().reason, Reason::request_malformed) << c.what;
    return "refused";
  }
  EXPECT_EQ(decided->from_trusted_proxy(), c.peer == kProxy && !c.origins.empty()) << c.what;
  return decided->origin().text() + (decided->known() ? " known" : " unknown");
}

TEST(Origin, IsTheContracts) {
  const Texts one = {"https://api.example.com"};
  const Texts two = {"https://a.example.com", "https://b.example.com:8443"};
  for (
      const Case& c : std::initializer_list<Case>{
          // one public origin: Host may differ
          {"same", Scheme::https, one, {}, kStranger, "api.example.com", {}, "https://api.example.com known"},
          {"rewritten",
           Scheme::https,
           one,
           {},
           kStranger,
           "10.0.0.7:8443",
           {},
           "https://api.example.com known"},
          {"TLS in front",
           Scheme::http,
           one,
           {},
           kStranger,
           "api.example.com",
           {},
           "https://api.example.com known"},
          {"no Host", Scheme::https, one, {}, kStranger, "", {}, "https://api.example.com known"},
          {"odd Host", Scheme::https, one, {}, kStranger, "a b", {}, "refused"},
          {"odd port", Scheme::https, one, {}, kStranger, "a:99999", {}, "refused"},
          {"two Hosts", Scheme::https, one, {}, kStranger, "a", {{"Host", "a"}, {"host", "a"}}, "refused"},
          // several: listener's scheme and Host
          {"first", Scheme::https, two, {}, kStranger, "A.example.com", {}, "https://a.example.com known"},
          {"first, port",
           Scheme::https,
           two,
           {},
           kStranger,
           "a.example.com:443",
           {},
           "https://a.example.com known"},
          {"second",
           Scheme::https,
           two,
           {},
           kStranger,
           "b.example.com:8443",
           {},
           "https://b.example.com:8443 known"},
          {"second, no port",
           Scheme::https,
           two,
           {},
           kStranger,
           "b.example.com",
           {},
           "https://b.example.com unknown"},
          {"neither", Scheme::https, two, {}, kStranger, "evil.example", {}, "https://evil.example unknown"},
          {"scheme", Scheme::http, two, {}, kStranger, "a.example.com", {}, "http://a.example.com unknown"},
          {"no Host of two", Scheme::https, two, {}, kStranger, "", {}, "https:// unknown"},
          // certificate names do not widen the list
          {"list only",
           Scheme::https,
           two,
           {"c.example.com"},
           kStranger,
           "c.example.com",
           {},
           "https://c.example.com unknown"},
          // none: the certificate's names, or loopback on a plain listener
          {"name",
           Scheme::https,
           {},
           {"api.example.com"},
           kStranger,
           "API.example.com:8443",
           {},
           "https://api.example.com:8443 known"},
          {"wildcard",
           Scheme::https,
           {},
           {"*.example.com"},
           kStranger,
           "x.example.com",
           {},
           "https://x.example.com known"},
          {"wildcard, deeper",
           Scheme::https,
           {},
           {"*.example.com"},
           kStranger,
           "y.x.example.com",
           {},
           "https://y.x.example.com unknown"},
          {"wildcard, itself",
           Scheme::https,
           {},
           {"*.example.com"},
           kStranger,
           "example.com",
           {},
           "https://example.com unknown"},
          {"address",
           Scheme::https,
           {},
           {"::1", "127.0.0.1"},
           kStranger,
           "[::1]:8443",
           {},
           "https://[::1]:8443 known"},
          {"other name",
           Scheme::https,
           {},
           {"api.example.com"},
           kStranger,
           "evil.example",
           {},
           "https://evil.example unknown"},
          {"loopback over TLS",
           Scheme::https,
           {},
           {"a"},
           kStranger,
           "localhost",
           {},
           "https://localhost unknown"},
          {"loopback", Scheme::http, {}, {}, kStranger, "localhost:8080", {}, "http://localhost:8080 known"},
          {"loopback 6", Scheme::http, {}, {}, kStranger, "[::1]:8080", {}, "http://[::1]:8080 known"},
          {"plain", Scheme::http, {}, {}, kStranger, "api.example.com", {}, "http://api.example.com unknown"},
          {"plain, no Host", Scheme::http, {}, {}, kStranger, "", {}, "http:// unknown"},
          // forwarded by a stranger: not looked at
          {"spoof",
           Scheme::https,
           two,
           {},
           kStranger,
           "evil.example",
           {{"X-Forwarded-Host", "a.example.com"}},
           "https://evil.example unknown"},
          {"spoofed nonsense",
           Scheme::https,
           two,
           {},
           kStranger,
           "a.example.com",
           {{"X-Forwarded-Host", "x, y"}},
           "https://a.example.com known"},
          {"no list, no trust",
           Scheme::http,
           {},
           {},
           kProxy,
           "evil.example",
           {{"X-Forwarded-Host", "localhost"}},
           "http://evil.example unknown"},
          // forwarded by a trusted proxy
          {"forwarded",
           Scheme::http,
           two,
           {},
           kProxy,
           "internal",
           {{"X-Forwarded-Host", "a.example.com"}, {"X-Forwarded-Proto", "https"}},
           "https://a.example.com known"},
          {"Forwarded",
           Scheme::http,
           two,
           {},
           kProxy,
           "internal",
           {{"Forwarded", "host=\"b.example.com:8443\";proto=https"}},
           "https://b.example.com:8443 known"},
          {"proto alone",
           Scheme::http,
           two,
           {},
           kProxy,
           "a.example.com",
           {{"X-Forwarded-Proto", "https"}},
           "https://a.example.com known"},
          {"not listed",
           Scheme::http,
           two,
           {},
           kProxy,
           "a.example.com",
           {{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "https"}},
           "https://evil.example unknown"},
          {"came over http",
           Scheme::https,
           two,
           {},
           kProxy,
           "a.example.com",
           {{"X-Forwarded-Proto", "http"}},
           "http://a.example.com unknown"},
          {"several",
           Scheme::http,
           two,
           {},
           kProxy,
           "a",
           {{"X-Forwarded-Host", "a.example.com, evil.example"}},
           "refused"},
          {"disagree",
           Scheme::http,
           two,
           {},
           kProxy,
           "a",
           {{"X-Forwarded-Host", "a.example.com"}, {"Forwarded", "host=b.example.com"}},
           "refused"},
          {"one, nothing forwarded",
           Scheme::http,
           one,
           {},
           kProxy,
           "internal",
           {},
           "https://api.example.com known"},
          {"one, proto fits",
           Scheme::http,
           one,
           {},
           kProxy,
           "internal",
           {{"X-Forwarded-Proto", "https"}},
           "https://api.example.com known"},
          {"one, proto differs",
           Scheme::http,
           one,
           {},
           kProxy,
           "api.example.com",
           {{"X-Forwarded-Proto", "http"}},
           "http://api.example.com unknown"},
          {"one, host fits",
           Scheme::http,
           one,
           {},
           kProxy,
           "internal",
           {{"X-Forwarded-Host", "api.example.com"}, {"X-Forwarded-Proto", "https"}},
           "https://api.example.com known"},
          {"one, host differs",
           Scheme::http,
           one,
           {},
           kProxy,
           "api.example.com",
           {{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "https"}},
           "https://evil.example unknown"},
      }) {
    EXPECT_EQ(decide(c), c.expected) << c.what;
  }
}

TEST(Origin, UnknownOnesAreNamed) {
  EXPECT_EQ(origin_unknown(http::Origin(Scheme::https, "evil.example", 443)).reason, Reason::origin_unknown);
  EXPECT_TRUE(origin_unknown(http::Origin(Scheme::https, "evil.example", 443))
                  .detail.contains("https://evil.example"));
  EXPECT_EQ(origin_unknown(http::Origin(Scheme::https, "", 443)).detail, "the request names no host");
}

TEST(CertificateName, CoversOneLabelAndNoAddress) {
  EXPECT_TRUE(certificate_name_covers("A.example.com", "a.example.com"));
  EXPECT_FALSE(certificate_name_covers("*.0.0.1", "127.0.0.1"));
  EXPECT_FALSE(certificate_name_covers("*", "a"));
  EXPECT_FALSE(certificate_name_covers("a*.example.com", "ab.example.com"));
  EXPECT_FALSE(certificate_name_covers("*.example.com", ".example.com"));
  EXPECT_TRUE(certificate_name_covers("2001:db8:0::1", "[2001:db8::1]"));
}

}  // namespace
}  // namespace holdfast::policy
