#include "policy/claim_rule.h"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <initializer_list>
#include <limits>

namespace holdfast::policy {
namespace {

namespace json = boost::json;

TEST(ClaimPath, IsNamesBetweenDots) {
  struct Case {
    std::string_view text;
    ClaimPath path;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"tenant", {"tenant"}},
           {"a.b.c", {"a", "b", "c"}},
           {R"(a\.b.c)", {"a.b", "c"}},
           {R"(https://example\.com/roles)", {"https://example.com/roles"}},
           {R"(https://hasura\.io/jwt/claims.x-hasura-role)",
            {"https://hasura.io/jwt/claims", "x-hasura-role"}},
           {R"(a\\.b)", {R"(a\)", "b"}},
           {"a b.\xC3\xBC", {"a b", "\xC3\xBC"}},
           {"0.1", {"0", "1"}},
           {"https://localhost/claims.role", {"https://localhost/claims", "role"}},
       }) {
    EXPECT_EQ(parse_claim_path(c.text).value_or(ClaimPath()), c.path) << c.text;
  }
  for (const std::string_view text : {"", ".", "a.", ".a", "a..b", R"(a\)", R"(a\b)", R"(\)"}) {
    EXPECT_FALSE(parse_claim_path(text).has_value()) << text;
  }
  for (const std::string_view torn : {"https://example.com/roles", "http://a.b", "urn://x.y/z"}) {
    const auto path = parse_claim_path(torn);
    ASSERT_FALSE(path.has_value()) << torn;
    EXPECT_EQ(path.error(), R"(a dot inside a name is written \.)");
  }
}

TEST(ClaimPath, GoesThroughObjects) {
  const json::object claims =
      json::parse(R"({"a": {"b": {"c": 1}, "n": null}, "a.b": 2, "list": [{"b": 3}], "s": "x"})").as_object();
  const auto found = [&claims](std::string_view path) {
    const json::value* const value = find_claim(claims, *parse_claim_path(path));
    return value == nullptr ? "nothing" : json::serialize(*value);
  };
  EXPECT_EQ(found("a.b.c"), "1");
  EXPECT_EQ(found(R"(a\.b)"), "2");
  EXPECT_EQ(found("a.n"), "null");
  EXPECT_EQ(found("a.b"), R"({"c":1})");
  for (const std::string_view path : {"x", "a.x", "a.b.c.d", "a.n.x", "list.b", "list.0", "s.x", "A"}) {
    EXPECT_EQ(found(path), "nothing") << path;
  }
}

TEST(ClaimRule, ValuesAreEqualByTypeAndValue) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  struct Case {
    std::vector<ClaimValue> any_of;
    std::initializer_list<std::string_view> allowed;
    std::initializer_list<std::string_view> refused;
  };
  for (const Case& c : std::initializer_list<Case>{
           {{"a", "b"},
            {R"("a")", R"("b")", R"(["x", "b"])", R"([1, null, {}, "a"])"},
            {R"("A")", R"("a ")", R"("ab")", R"("")", R"(["x"])", "[]", "{}", R"({"a": "a"})", R"([["a"]])",
             R"([{"a": "a"}])", "null", "true"}},
           {{true}, {"true", "[false, true]"}, {"false", R"("true")", "1", R"(["true"])", "null"}},
           {{false}, {"false"}, {"true", "0", "null", R"("")", "[]"}},
           {{std::int64_t{1}}, {"1", "1.0", "[0, 1]", "1e0"}, {R"("1")", "true", "1.5", "-1", "10"}},
           {{1.5}, {"1.5", "15e-1"}, {"1", "2", R"("1.5")"}},
           {{2.0}, {"2", "2.0"}, {"3"}},
           {{1e19}, {"1e19", "10000000000000000000"}, {"10000000000000000001", "-1", "1"}},
           {{1.8446744073709552e19}, {"1.8446744073709552e19"}, {"18446744073709551615", "0"}},
           {{std::string("1"), true}, {R"("1")", "true"}, {"1", "false"}},
           {{kMost}, {"9223372036854775807"}, {"9223372036854775806", "9223372036854775808", "9.3e18"}},
           // Far from zero a double has no room for the last digits.
           {{std::int64_t{9007199254740993}},
            {"9007199254740993"},
            {"9007199254740992", "9007199254740992.0"}},
           {{std::string("18446744073709551615")}, {}, {"18446744073709551615"}},
       }) {
    const ClaimRule rule{{"c"}, "c", c.any_of};
    for (const std::string_view text : c.allowed) EXPECT_TRUE(allows(rule, json::parse(text))) << text;
    for (const std::string_view text : c.refused) EXPECT_FALSE(allows(rule, json::parse(text))) << text;
  }
}

}  // namespace
}  // namespace holdfast::policy
