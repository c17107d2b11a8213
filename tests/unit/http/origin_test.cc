#include "http/origin.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace holdfast::http {
namespace {

TEST(Authority, WritesHostsInOneWay) {
  struct Case {
    std::string_view text;
    std::string_view host;
    std::optional<std::uint16_t> port = std::nullopt;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"API.example.com", "api.example.com"},
           {"a:1", "a", 1},
           {"a:65535", "a", 65535},
           {"my_service-1", "my_service-1"},
           {"10.0.0.1:80", "10.0.0.1", 80},
           {"[::1]", "[::1]"},
           {"[0:0:0:0:0:0:0:1]:8443", "[::1]", 8443},
           {"[2001:DB8::0:1]", "[2001:db8::1]"},
           {"[::ffff:127.0.0.1]", "[::ffff:7f00:1]"},
           {"1a", "1a"},
           {"1.2.3.example", "1.2.3.example"},
       }) {
    const auto authority = parse_authority(c.text);
    ASSERT_TRUE(authority) << c.text;
    EXPECT_EQ(authority->host, c.host);
    EXPECT_EQ(authority->port, c.port) << c.text;
  }
}

TEST(Authority, RefusesOddHosts) {
  for (const std::string_view text :
       {"",       ":80",      "a:",        "a:0",       "a:080",  "a:65536", "a:99999999999",
        "a:8x",   "a:80:80",  "a b",       "a,b",       "a, b",   "u@a",     "a/b",
        "a?b",    "a#b",      "a\\b",      "a%41",      "a..b",   ".a",      "a.",
        "127.1",  "1.2.3",    "1.2.3.4.5", "01.2.3.4",  "0x7f.1", "a.0x1",   "2130706433",
        "::1",    "[::1",     "[]",        "[1.2.3.4]", "[::1]x", "[::1]:",  "[fe80::1%eth0]",
        "[v1.a]", "\xc3\xa9", "a\tb",      " a",        "a "}) {
    EXPECT_FALSE(parse_authority(text)) << text;
  }
  EXPECT_FALSE(parse_authority(std::string(64, 'a')));
  EXPECT_TRUE(parse_authority(std::string(63, 'a')));
  std::string longest;
  while (longest.size() < 254) longest += "aaaaaaa.";
  EXPECT_FALSE(parse_authority(longest + "a"));
}

TEST(Origin, HasOneText) {
  EXPECT_EQ(Origin(Scheme::https, "a", 443).text(), "https://a");
  EXPECT_EQ(Origin(Scheme::https, "a", 80).text(), "https://a:80");
  EXPECT_EQ(Origin(Scheme::http, "a", 80).text(), "http://a");
  EXPECT_EQ(Origin(Scheme::http, "[::1]", 8080).text(), "http://[::1]:8080");
  EXPECT_EQ(Origin(Scheme::http, "a", 8080).authority(), "a:8080");
  EXPECT_EQ(parse_origin("HTTPS://A:443/")->text(), "https://a");
  EXPECT_EQ(parse_origin("https://a:8443")->authority(), "a:8443");
  for (const std::string_view text :
       {"", "a", "https://", "https://a/b", "https://a//", "https://a?b", "ftp://a", "https:/a"}) {
    EXPECT_FALSE(parse_origin(text)) << text;
  }
}

TEST(Hosts, AreLoopbackOrLiterals) {
  for (const std::string_view host : {"localhost", "127.0.0.1", "127.9.9.9", "[::1]", "[::ffff:7f00:1]"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const std::string_view host :
       {"", "localhost.example.com", "128.0.0.1", "[::2]", "127.0.0.1.example.com"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
  EXPECT_TRUE(is_ip_literal("[::1]"));
  EXPECT_TRUE(is_ip_literal("1.2.3.4"));
  EXPECT_FALSE(is_ip_literal("a"));
}

TEST(UriHost, PutsIpv6InBrackets) {
  EXPECT_EQ(uri_host("api.example.com"), "api.example.com");
  EXPECT_EQ(uri_host("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(uri_host("::1"), "[::1]");
  EXPECT_EQ(host_and_port("::1", 8443), "[::1]:8443");
  EXPECT_EQ(host_and_port("", 80), ":80");
}

}  // namespace
}  // namespace holdfast::http
