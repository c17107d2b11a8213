// The words of the schema, and what it says of the configuration's keys. That it says the same as the parser
// is held by tests/schema, with a validator that others wrote.
#include "settings/schema.h"

#include <gtest/gtest.h>

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fstream>
#include <functional>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <utility>

#include "settings/file_schema.h"
#include "settings/node.h"
#include "settings/words.h"
#include "support/places.h"

namespace holdfast::settings {
namespace {

namespace json = boost::json;

std::string text_of(const std::string& file) {
  std::ifstream in(support::source_folder() / file);
  return {(std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>()};
}

bool matches(const std::string& pattern, const std::string& text) {
  return std::regex_match(text, std::regex(pattern, std::regex::ECMAScript));
}

TEST(Schema, DigitsAreThoseOfTheRangeAndNoOther) {
  const std::pair<unsigned, unsigned> ranges[] = {
      {0, 0},   {0, 9},    {1, 9},     {0, 10},  {1, 10},    {7, 7},      {0, 255},     {9, 10},  {10, 19},
      {15, 23}, {99, 101}, {100, 999}, {1, 365}, {123, 321}, {190, 1023}, {1000, 1999}, {1, 1024}};
  for (const auto& [least, most] : ranges) {
    const std::regex pattern(digits_pattern(least, most), std::regex::ECMAScript);
    for (unsigned value = 0; value < 2100; ++value) {
      const bool inside = value >= least && value <= most;
      EXPECT_EQ(std::regex_match(std::to_string(value), pattern), inside)
          << least << ' ' << most << ' ' << value;
      EXPECT_EQ(std::regex_match("00" + std::to_string(value), pattern), inside) << least << ' ' << most;
    }
    EXPECT_FALSE(std::regex_match("", pattern));
    EXPECT_FALSE(std::regex_match("1a", pattern));
  }
  const std::string most = std::to_string(UINT64_MAX);
  EXPECT_TRUE(matches(digits_pattern(0, UINT64_MAX), most));
  EXPECT_FALSE(matches(digits_pattern(0, UINT64_MAX), "18446744073709551616"));
}

TEST(Schema, TimesAndSizesAreWhatTheParsersTake) {
  const std::string units[] = {"", "ms", "s", "m", "h", "d", "S", "KiB", "MiB", "B", "kib", " s"};
  const unsigned amounts[] = {0,  1,   2,    9,    10,   23,   24,   25,   59,  60,
                              61, 999, 1000, 1001, 1023, 1024, 1025, 3600, 3601};
  const std::pair<unsigned, unsigned> ranges[] = {
      {0, 3'600'000}, {1, 60'000}, {1'000, 86'400'000}, {1'500, 1'048'576}};
  for (const auto& [least, most] : ranges) {
    const std::regex time(time_pattern(milliseconds(least), milliseconds(most)), std::regex::ECMAScript);
    const std::regex size(size_pattern(least, most), std::regex::ECMAScript);
    for (const unsigned amount : amounts) {
      for (const std::string& unit : units) {
        const std::string text = std::to_string(amount) + unit;
        EXPECT_EQ(std::regex_match(text, time),
                  parse_time(text, milliseconds(least), milliseconds(most)).has_value())
            << text << ' ' << least << ' ' << most;
        EXPECT_EQ(std::regex_match(text, size), parse_size(text, least, most).has_value())
            << text << ' ' << least << ' ' << most;
      }
    }
  }
}

TEST(Schema, KindsAreThoseOfEveryAlternative) {
  const auto kinds = [](const Schema& schema) {
    const Kinds found = kinds_of(schema);
    return std::string(found.text ? "t" : "") + (found.number ? "n" : "") + (found.truth ? "b" : "");
  };
  EXPECT_EQ(kinds(text_schema("a", "a")), "t");
  EXPECT_EQ(kinds(whole_schema(1, 2)), "n");
  EXPECT_EQ(kinds(any_text_schema()), "tn");
  EXPECT_EQ(kinds(words_schema({"off"})), "tb");
  EXPECT_EQ(kinds(words_schema({"1.2"})), "tn");
  EXPECT_EQ(kinds(any_of({words_schema({"auto"}), whole_schema(1, 2)})), "tn");
  EXPECT_EQ(kinds(map_schema({}, {})), "");
}

TEST(Schema, WhatHasANameIsWrittenOnce) {
  const Schema form = named("form", text_schema("a", "a"));
  const std::string printed =
      print({{"properties", {{"x", form}, {"y", annotated(form, "description", "d")}}}});
  EXPECT_EQ(json::parse(printed), json::parse(R"({
    "properties": {"x": {"$ref": "#/definitions/form"},
                   "y": {"allOf": [{"$ref": "#/definitions/form"}], "description": "d"}},
    "definitions": {"form": {"type": "string", "pattern": "^(a)$", "patternErrorMessage": "must be a"}}})"));
  EXPECT_THROW((void)print({{"x", form}, {"y", named("form", text_schema("b", "b"))}}), std::logic_error);
}

// ---- of the whole file

// Each key of a schema, with the schema of its value: "routes.match.path".
using Keys = std::map<std::string, json::object>;

void collect(const json::object& definitions, json::object form, const std::string& path, Keys& out) {
  if (const auto* reference = form.if_contains("$ref")) {
    form =
        definitions.at(reference->as_string().subview(std::string_view("#/definitions/").size())).as_object();
  }
  for (const char* several : {"anyOf", "allOf"}) {
    if (const auto* forms = form.if_contains(several)) {
      for (const json::value& each : forms->as_array()) collect(definitions, each.as_object(), path, out);
    }
  }
  if (const auto* items = form.if_contains("items")) collect(definitions, items->as_object(), path, out);
  if (const auto* properties = form.if_contains("properties")) {
    for (const auto& [key, value] : properties->as_object()) {
      const std::string at = path.empty() ? std::string(key) : path + '.' + std::string(key);
      out[at] = value.as_object();
      collect(definitions, value.as_object(), at, out);
    }
  }
}

Keys all_keys() {
  const json::object schema = json::parse(file_schema()).as_object();
  Keys out;
  collect(schema.at("definitions").as_object(), schema, "", out);
  return out;
}

void visit(const Node& node, const std::string& path,
           const std::function<void(const std::string&, const Node&)>& see) {
  see(path, node);
  for (const Node& item : node.items) visit(item, path, see);
  for (const Entry& entry : node.entries)
    visit(entry.value, path.empty() ? entry.key : path + '.' + entry.key, see);
}

TEST(FileSchema, TheShippedCopyIsTheSame) {
  EXPECT_EQ(text_of("config/holdfast.schema.json"), file_schema())
      << "holdfast schema > config/holdfast.schema.json";
}

TEST(FileSchema, EveryKeyHasADescription) {
  const Keys all = all_keys();
  EXPECT_GT(all.size(), 100U);
  for (const auto& [path, schema] : all) {
    EXPECT_TRUE(schema.contains("description")) << path << ": .about(\"...\")";
  }
}

// The model's defaults are what the schema shows; reference.yaml shows them to people, but for what is off.
TEST(FileSchema, DefaultsAreThoseOfTheReference) {
  const Keys all = all_keys();
  const auto root = parse_yaml(text_of("config/reference.yaml"));
  ASSERT_TRUE(root);
  std::set<std::string> seen;
  visit(*root, "", [&](const std::string& path, const Node& node) {
    const auto key = all.find(path);
    const json::value* otherwise = key == all.end() ? nullptr : key->second.if_contains("default");
    if (otherwise == nullptr || node.kind == Node::Kind::kMap || !seen.insert(path).second) return;
    std::string shown = node.text;
    if (node.kind == Node::Kind::kList) {
      for (const Node& item : node.items) shown += (shown.empty() ? "[" : ",") + ('"' + item.text + '"');
      shown += ']';
    }
    const bool truth = otherwise->is_bool() && (shown == "off" || shown == "on");
    if (truth) shown = shown == "on" ? "true" : "false";
    std::string expected =
        otherwise->is_string() ? std::string(otherwise->as_string()) : json::serialize(*otherwise);
    // 60s and 1m are one time
    const auto time = parse_time(expected, milliseconds(0), milliseconds(1'000'000'000));
    if (time && parse_time(shown, *time, *time)) expected = shown;
    EXPECT_EQ(shown, expected) << path;
  });
  EXPECT_GT(seen.size(), 40U);
}

}  // namespace
}  // namespace holdfast::settings
