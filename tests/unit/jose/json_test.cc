// Rule 5: strict JSON.
#include "jose/json.h"

#include <gtest/gtest.h>

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>

namespace holdfast::jose {
namespace {

TEST(Json, ReadsEveryKindOfValue) {
  const char* const text =
      R"( {"s":"a\u00e9\n\ud83d\ude00","i":-7,"u":18446744073709551615,"d":1.5e3,"t":true,"f":false,"n":null,)"
      R"("a":[1,[],{"b":[{}]}],"o":{"s":{"x":"y"}},"":"empty name","\u0061b":1} )";
  const auto object = parse_json_object(text);
  ASSERT_TRUE(object.has_value()) << object.error();
  EXPECT_EQ(*object, boost::json::parse(text).as_object());
}

TEST(Json, RefusesWhatIsNotStrictJson) {
  const std::string_view cases[] = {"",
                                    " ",
                                    "null",
                                    "1",
                                    "\"text\"",
                                    "[]",
                                    "[{}]",
                                    "{",
                                    "{}}",
                                    "{} {}",
                                    "{}x",
                                    std::string_view("{}\0", 3),
                                    R"({"a":1,})",
                                    R"({"a"})",
                                    R"({"a":})",
                                    R"({a:1})",
                                    R"({'a':1})",
                                    R"({"a":01})",
                                    R"({"a":1.})",
                                    R"({"a":.5})",
                                    R"({"a":+1})",
                                    R"({"a":NaN})",
                                    R"({"a":Infinity})",
                                    R"({"a":nul})",
                                    R"({"a":"\x"})",
                                    R"({"a":"\u12"})",
                                    R"({"a":"\ud800"})",
                                    R"({"a":"\ud800\u0041"})",
                                    R"({"a":"\udc00"})",
                                    "{\"a\":\"\n\"}",
                                    "{\"a\":\"\x01\"}",
                                    "{/**/}",
                                    "{}//x",
                                    "\xef\xbb\xbf{}",
                                    "{\"a\":1e999}",
                                    "{\"a\":-1e999}"};
  for (const std::string_view text : cases) EXPECT_FALSE(parse_json_object(text).has_value()) << text;
}

TEST(Json, RefusesInvalidUtf8) {
  for (const char* const bytes :
       {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    EXPECT_FALSE(parse_json_object(std::string("{\"a\":\"") + bytes + "\"}").has_value());
    EXPECT_FALSE(parse_json_object(std::string("{\"") + bytes + "\":1}").has_value());
  }
  EXPECT_TRUE(parse_json_object("{\"a\":\"\xc3\xa9\"}").has_value());
}

TEST(Json, RefusesAMemberTwiceAtEveryLevel) {
  for (const char* const text :
       {R"({"a":1,"a":1})", R"({"a":1,"b":2,"a":{}})", R"({"o":{"a":1,"a":2}})", R"({"l":[{"a":1,"a":2}]})",
        R"({"\u0061":1,"a":2})", R"({"a":[{"b":{}}],"a":[]})", R"({"":1,"":2})"}) {
    const auto object = parse_json_object(text);
    ASSERT_FALSE(object.has_value()) << text;
    EXPECT_NE(object.error().find("twice"), std::string::npos) << object.error();
  }
  // Far apart, where the object has long become a hash table.
  std::string many = "{";
  for (int i = 0; i < 500; ++i) many += "\"m" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  EXPECT_TRUE(parse_json_object(many + "\"m500\":0}").has_value());
  EXPECT_FALSE(parse_json_object(many + "\"m3\":0}").has_value());
  // The same name in different objects is no repetition.
  EXPECT_TRUE(parse_json_object(R"({"a":{"a":{"a":1}},"b":{"a":1}})").has_value());
}

std::string nested(int depth, std::string_view open, std::string_view close) {
  std::string text = "{\"a\":";
  for (int i = 1; i < depth; ++i) text += open;
  if (depth == 1 || open == "{\"a\":") text += "1";
  for (int i = 1; i < depth; ++i) text += close;
  return text + "}";
}

TEST(Json, IsAtMostEightLevelsDeep) {
  EXPECT_TRUE(parse_json_object(nested(8, "[", "]")).has_value());
  EXPECT_TRUE(parse_json_object(nested(8, "{\"a\":", "}")).has_value());
  EXPECT_FALSE(parse_json_object(nested(9, "[", "]")).has_value());
  EXPECT_FALSE(parse_json_object(nested(9, "{\"a\":", "}")).has_value());
  EXPECT_FALSE(parse_json_object(nested(8000, "[", "]")).has_value());
  // More levels asked for than the reader has room for is an error, not an overrun.
  EXPECT_FALSE(parse_json_object(nested(100, "[", "]"), {}, 200).has_value());
}

TEST(Json, NumbersAreExact) {
  const auto object = parse_json_object(
      R"({"a":0.1,"b":123456789.123456789,"c":-0.0,"d":1e-300,"e":9007199254740993,"f":0e999})");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(object->at("a").as_double(), 0.1);
  EXPECT_EQ(object->at("b").as_double(), 123456789.123456789);
  EXPECT_EQ(object->at("c").as_double(), 0.0);
  EXPECT_EQ(object->at("d").as_double(), 1e-300);
  EXPECT_EQ(object->at("e").as_int64(), 9007199254740993);
  EXPECT_EQ(object->at("f").as_double(), 0.0) << "Boost.JSON's own conversion makes NaN of it";
}

TEST(Json, UsesTheStorageItIsGiven) {
  unsigned char buffer[4096];
  boost::json::monotonic_resource memory(buffer, sizeof buffer);
  const auto object =
      parse_json_object(R"({"name":"a string that is too long to be kept inside of its value"})", &memory);
  ASSERT_TRUE(object.has_value());
  const auto* const text = object->at("name").as_string().data();
  EXPECT_TRUE(text >= reinterpret_cast<char*>(buffer) &&
              text < reinterpret_cast<char*>(buffer) + sizeof buffer);
}

TEST(Json, StringMembersAreStrings) {
  const auto object = parse_json_object(R"({"a":"x","b":1,"c":null})");
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(string_member(*object, "a"), "x");
  EXPECT_EQ(string_member(*object, "b"), std::nullopt);
  EXPECT_EQ(string_member(*object, "c"), std::nullopt);
  EXPECT_EQ(string_member(*object, "d"), std::nullopt);
}

TEST(Json, NumericDates) {
  const std::pair<const char*, std::optional<std::int64_t>> cases[] = {
      {"1562262616", 1562262616000},
      {"0", 0},
      {"-1", -1000},
      {"1562262616.25", 1562262616250},
      {"-1.5", -1500},
      {"1.5e9", 1500000000000},
      {"9007199254740992", 9007199254740992000},
      {"-9007199254740992", -9007199254740992000},
      {"9007199254740993", std::nullopt},
      {"-9007199254740993", std::nullopt},
      {"18446744073709551615", std::nullopt},
      {"1e16", std::nullopt},
      {"1e300", std::nullopt},
      {"\"1562262616\"", std::nullopt},
      {"true", std::nullopt},
      {"null", std::nullopt},
      {"[1562262616]", std::nullopt}};
  for (const auto& [text, ms] : cases) {
    const auto object = parse_json_object(std::string("{\"iat\":") + text + "}");
    ASSERT_TRUE(object.has_value()) << text;
    EXPECT_EQ(numeric_date_ms(object->at("iat")), ms) << text;
  }
  EXPECT_EQ(numeric_date_ms(boost::json::value(std::numeric_limits<double>::quiet_NaN())), std::nullopt);
  EXPECT_EQ(numeric_date_ms(boost::json::value(std::numeric_limits<double>::infinity())), std::nullopt);
}

}  // namespace
}  // namespace holdfast::jose
