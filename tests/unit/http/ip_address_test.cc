#include "http/ip_address.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace holdfast::http {
namespace {

TEST(IpAddress, HasOneText) {
  struct Case {
    std::string_view text;
    std::string_view canonical;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"0.0.0.0", "0.0.0.0"},
           {"255.255.255.255", "255.255.255.255"},
           {"::", "::"},
           {"::1", "::1"},
           {"1::", "1::"},
           {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
           {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},  // one group of zeros stays
           {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},           // the longest run
           {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},     // the first of equals
           {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
           {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
           {"::ffff:192.0.2.1", "192.0.2.1"},
           {"::ffff:c000:201", "192.0.2.1"},
           {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
           {"fe80::ABCD", "fe80::abcd"},
       }) {
    const auto address = IpAddress::parse(c.text);
    ASSERT_TRUE(address) << c.text;
    EXPECT_EQ(address->text(), c.canonical) << c.text;
    EXPECT_EQ(IpAddress::parse(address->text()), address) << c.text;
    EXPECT_EQ(IpAddress::parse(address->text_as_v6()), address) << c.text;
  }
}

TEST(IpAddress, RefusesWhatOthersReadInTwoWays) {
  for (const std::string_view text : {"",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "1.2.3.256",
                                      "1.2.3.1000",
                                      "01.2.3.4",
                                      "1.2.3.04",
                                      "0x1.2.3.4",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1..2.3",
                                      "1.2.3.",
                                      ".1.2.3",
                                      ":",
                                      ":::",
                                      "1:",
                                      ":1",
                                      "1:2",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1:2:3:4:5:6:7:8:",
                                      "1::2::3",
                                      "1:2:3:4::5:6:7:8",
                                      "12345::",
                                      "g::",
                                      "::1%lo",
                                      "[::1]",
                                      "::1.2.3",
                                      "::1.2.3.4:5",
                                      "1:2:3:4:5:6:7:1.2.3.4",
                                      "1.2.3.4::",
                                      "::01.2.3.4"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(Cidr, HoldsItsAddresses) {
  struct Case {
    std::string_view block;
    std::string_view address;
    bool held;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"10.0.0.0/8", "10.255.0.1", true},
           {"10.0.0.0/8", "11.0.0.1", false},
           {"10.0.0.0/8", "::ffff:10.0.0.1", true},
           {"10.1.2.0/23", "10.1.3.255", true},
           {"10.1.2.0/23", "10.1.4.0", false},
           {"192.0.2.1", "192.0.2.1", true},
           {"192.0.2.1", "192.0.2.2", false},
           {"192.0.2.1/32", "192.0.2.1", true},
           {"0.0.0.0/0", "1.2.3.4", true},
           {"0.0.0.0/0", "::1", false},
           {"::/0", "::1", true},
           {"::/0", "1.2.3.4", false},
           {"::ffff:10.0.0.0/104", "10.1.1.1", true},
           {"fd00::/8", "fdff::1", true},
           {"fd00::/8", "fe00::1", false},
           {"2001:db8::/33", "2001:db8:7fff::", true},
           {"2001:db8::/33", "2001:db8:8000::", false},
           {"::1", "::1", true},
           {"::1", "::2", false},
       }) {
    const auto block = Cidr::parse(c.block);
    const auto address = IpAddress::parse(c.address);
    ASSERT_TRUE(block) << c.block;
    ASSERT_TRUE(address) << c.address;
    EXPECT_EQ(block->contains(*address), c.held) << c.block << " " << c.address;
    EXPECT_EQ(any_contains({*block}, *address), c.held);
  }
  EXPECT_FALSE(any_contains({}, *IpAddress::parse("::1")));
}

TEST(Cidr, RefusesSlips) {
  for (const std::string_view text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.1/8",
        "::/129", "::1/64", "10/8", "a/8", "10.0.0.0/8 ", "fd00::/1000"}) {
    EXPECT_FALSE(Cidr::parse(text)) << text;
  }
}

}  // namespace
}  // namespace holdfast::http
