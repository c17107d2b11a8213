// Rule 10: htu against the request's URI.
#include "dpop/htu.h"

#include <gtest/gtest.h>

namespace holdfast::dpop {
namespace {

constexpr std::string_view kRequest = "https://api.example.com/v1/orders";

TEST(Htu, EverySpellingOfTheSameUriCounts) {
  for (const char* const htu :
       {"https://api.example.com/v1/orders", "HTTPS://API.Example.COM/v1/orders",
        "https://api.example.com:443/v1/orders", "https://api.example.com/v1/orders?a=b",
        "https://api.example.com/v1/orders#f", "https://api.example.com/v1/%6Frders",
        "https://api.example.com/v1/./orders", "https://api.example.com/v2/../v1/orders",
        "wss://api.example.com/v1/orders"}) {
    EXPECT_TRUE(check_htu(htu, kRequest).has_value()) << htu;
  }
  EXPECT_TRUE(check_htu("https://api.example.com", "https://api.example.com/").has_value());
  EXPECT_TRUE(check_htu("https://a/%e2%82%ac", "https://a/%E2%82%AC").has_value());
}

TEST(Htu, NothingElseDoes) {
  for (const char* const htu : {"",
                                "/v1/orders",
                                "//api.example.com/v1/orders",
                                "http://api.example.com/v1/orders",
                                "ws://api.example.com/v1/orders",
                                "https://api.example.com:8443/v1/orders",
                                "https://api.example.com/V1/orders",
                                "https://api.example.com/v1/orders/",
                                "https://api.example.com/v1//orders",
                                "https://api.example.com/v1%2Forders",
                                "https://evil.example/v1/orders",
                                "https://api.example.com.evil.example/v1/orders",
                                "https://user@api.example.com/v1/orders",
                                "https://api.example.com@evil.example/v1/orders",
                                "https://api.example.com/v1/%zz",
                                "ftp://api.example.com/v1/orders",
                                "https://api.example.com/v1/orders ",
                                " https://api.example.com/v1/orders",
                                "https:/api.example.com/v1/orders",
                                "null"}) {
    const auto checked = check_htu(htu, kRequest);
    ASSERT_FALSE(checked.has_value()) << htu;
    EXPECT_EQ(checked.error().reason, Reason::htu_mismatch) << htu;
  }
}

TEST(Htu, TheDetailNamesBothWithoutTheQuery) {
  const auto checked = check_htu("https://a.example/x?secret=1", "https://b.example/x");
  ASSERT_FALSE(checked.has_value());
  EXPECT_EQ(checked.error().detail, "htu names https://a.example/x, this request is https://b.example/x");
}

}  // namespace
}  // namespace holdfast::dpop
