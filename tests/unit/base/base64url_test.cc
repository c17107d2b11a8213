#include "base/base64url.h"

#include <gtest/gtest.h>

#include <span>
#include <utility>

namespace holdfast {
namespace {

std::string encode(std::string_view bytes) {
  return base64url_encode(std::span(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
}

TEST(Base64Url, GoesBothWays) {
  // RFC 4648 section 10, without padding, and the two characters that differ from base64.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
  for (const auto& [bytes, text] : cases) {
    EXPECT_EQ(encode(bytes), text);
    EXPECT_EQ(base64url_decode(text), bytes) << text;
  }
}

TEST(Base64Url, EveryByteSurvives) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  for (std::size_t size = 0; size <= bytes.size(); ++size) {
    EXPECT_EQ(base64url_decode(encode(bytes.substr(0, size))), bytes.substr(0, size));
  }
}

TEST(Base64Url, RefusesWhatEncodingNeverWrites) {
  const std::string_view cases[] = {"Zg==",  // padding
                                    "Zm9v Zm9v",   "Zm9v\n",
                                    " Zm9v",  // whitespace
                                    "Zm9vY",  // six bits left over
                                    "Zh",          "Zm9",
                                    "Zm9vYh",              // stray trailing bits
                                    "-/8",         "+_8",  // base64's own characters
                                    "Zm9\xc3\xbc", std::string_view("Zm\0v", 4)};
  for (const std::string_view text : cases) EXPECT_EQ(base64url_decode(text), std::nullopt) << text;
}

}  // namespace
}  // namespace holdfast
