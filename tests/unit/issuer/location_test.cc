#include "issuer/location.h"

#include <gtest/gtest.h>

namespace holdfast::issuer {
namespace {

TEST(Location, TakesAUrlApart) {
  struct Case {
    std::string_view url, host;
    std::uint16_t port;
    std::string_view authority, target;
    bool tls, loopback;
  };
  for (const Case& c : {
           Case{"https://id.example.com/realms/demo", "id.example.com", 443, "id.example.com", "/realms/demo",
                true, false},
           Case{"https://id.example.com", "id.example.com", 443, "id.example.com", "/", true, false},
           Case{"https://id.example.com?a=b", "id.example.com", 443, "id.example.com", "/?a=b", true, false},
           Case{"HTTPS://ID.example.com:8443/x?y=1", "id.example.com", 8443, "id.example.com:8443", "/x?y=1",
                true, false},
           Case{"http://127.0.0.1:8080/keys", "127.0.0.1", 8080, "127.0.0.1:8080", "/keys", false, true},
           Case{"http://localhost/", "localhost", 80, "localhost", "/", false, true},
           Case{"http://[::1]:8080/", "::1", 8080, "[::1]:8080", "/", false, true},
           Case{"https://[2001:db8::1]/", "2001:db8::1", 443, "[2001:db8::1]", "/", true, false},
       }) {
    const auto location = parse_location(c.url);
    ASSERT_TRUE(location) << c.url << ": " << location.error();
    EXPECT_EQ(location->host, c.host) << c.url;
    EXPECT_EQ(location->port, c.port) << c.url;
    EXPECT_EQ(location->authority, c.authority) << c.url;
    EXPECT_EQ(location->target, c.target) << c.url;
    EXPECT_EQ(location->tls, c.tls) << c.url;
    EXPECT_EQ(location->loopback, c.loopback) << c.url;
  }
}

TEST(Location, RefusesWhatIsNoFetchableUrl) {
  for (const std::string_view url :
       {"", "id.example.com", "/realms/demo", "ftp://id.example.com/", "wss://id.example.com/", "https://",
        "https:///x", "https://user:secret@id.example.com/", "https://id.example.com/#x",
        "https://id.example.com:0x1/", "https://id.example.com:99999/", "https://id.example.com/a b",
        "https://id.example.com/\r\nHost:%20x", "https://id.example.com/\xc3\xbc"}) {
    EXPECT_FALSE(parse_location(url)) << url;
  }
}

TEST(Location, PlainHttpStaysOnThisMachineUnlessAllowed) {
  struct Case {
    std::string_view url;
    bool allow_http, fetchable;
  };
  for (const Case& c :
       {Case{"https://id.example.com/", false, true}, Case{"http://id.example.com/", false, false},
        Case{"http://id.example.com/", true, true}, Case{"http://127.0.0.1/", false, true},
        Case{"http://127.9.9.9/", false, true}, Case{"http://[::1]/", false, true},
        Case{"http://localhost:8080/", false, true}, Case{"http://localhost.example.com/", false, false},
        Case{"http://127.0.0.1.example.com/", false, false}, Case{"http://10.0.0.1/", false, false},
        Case{"http://[2001:db8::1]/", false, false}, Case{"ftp://127.0.0.1/", true, false}}) {
    EXPECT_EQ(fetchable_location(c.url, c.allow_http).has_value(), c.fetchable) << c.url;
  }
}

}  // namespace
}  // namespace holdfast::issuer
