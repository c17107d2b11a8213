#include "base/ascii.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Ascii, EqualButForCase) {
  EXPECT_TRUE(iequals("DPoP", "dpop"));
  EXPECT_TRUE(iequals("", ""));
  EXPECT_FALSE(iequals("DPoP", "DPo"));
  // '@' and '`', '[' and '{' differ by the same bit as 'A' and 'a'.
  EXPECT_FALSE(iequals("@[", "`{"));
  EXPECT_FALSE(iequals("\xc4", "\xe4"));
}

TEST(Ascii, Classes) {
  for (int i = 0; i < 256; ++i) {
    const char c = static_cast<char>(i);
    const bool digit = i >= '0' && i <= '9';
    const bool alpha = (i >= 'a' && i <= 'z') || (i >= 'A' && i <= 'Z');
    EXPECT_EQ(is_digit(c), digit) << i;
    EXPECT_EQ(is_alpha(c), alpha) << i;
    const bool mark = i > 0x20 && i < 0x7F && !digit && !alpha &&
                      std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
    EXPECT_EQ(is_token_char(c), digit || alpha || mark) << i;
  }
}

TEST(Ascii, HexValues) {
  EXPECT_EQ(hex_value('0'), 0);
  EXPECT_EQ(hex_value('a'), 10);
  EXPECT_EQ(hex_value('F'), 15);
  EXPECT_EQ(hex_value('g'), -1);
  EXPECT_EQ(hex_value('\xff'), -1);
}

TEST(Ascii, TrimsOptionalWhitespaceAlone) {
  EXPECT_EQ(trim_ows(" \t a b\t "), "a b");
  EXPECT_EQ(trim_ows(" \t "), "");
  EXPECT_EQ(trim_ows("\ra\n"), "\ra\n");
  EXPECT_EQ(to_lower("Foo-BAR\xc4"), "foo-bar\xc4");
}

}  // namespace
}  // namespace holdfast
