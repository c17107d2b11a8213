#include "settings/schema.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdio>
#include <stdexcept>
#include <utility>

namespace holdfast::settings {
namespace {

namespace json = boost::json;

constexpr std::string_view kName = "$name";

// expand.h, as a regular expression: what stands in front of a variable, and a variable.
const std::string kVariable = R"(\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\})";
const std::string kPlain = R"(([^$]|\$()" + kVariable + R"(|[^${])|\$\$+[^$])*)";

Schema variable() {
  return named("variable",
               {{"type", "string"}, {"pattern", '^' + kPlain + R"(\$)" + kVariable + kPlain + R"(\$*$)"}});
}

std::string any_digits(std::size_t count) {
  if (count == 0) return "";
  return count == 1 ? "[0-9]" : "[0-9]{" + std::to_string(count) + '}';
}

std::string joined(const std::vector<std::string>& alternatives) {
  if (alternatives.size() == 1) return alternatives[0];
  std::string out;
  for (const std::string& each : alternatives) out += (out.empty() ? '(' : '|') + each;
  return out + ')';
}

// Numbers of as many digits as both ends have.
std::string between(std::string_view least, std::string_view most) {
  if (least.empty()) return "";
  const std::size_t rest = least.size() - 1;
  if (least.front() == most.front()) return least.front() + between(least.substr(1), most.substr(1));
  char first = least.front();
  char last = most.front();
  std::vector<std::string> low;
  std::vector<std::string> high;
  if (least.find_first_not_of('0', 1) != least.npos) {
    low.push_back(first++ + between(least.substr(1), std::string(rest, '9')));
  }
  if (most.find_first_not_of('9', 1) != most.npos) {
    high.push_back(last-- + between(std::string(rest, '0'), most.substr(1)));
  }
  if (first < last) low.push_back(std::string("[") + first + '-' + last + ']' + any_digits(rest));
  if (first == last) low.push_back(first + any_digits(rest));
  low.insert(low.end(), high.begin(), high.end());
  return joined(low);
}

// One alternative a unit: the amounts whose product lies between the bounds.
struct Unit {
  std::string_view word;
  std::uint64_t size;
};

std::string amounts_pattern(std::uint64_t least, std::uint64_t most, const std::vector<Unit>& units) {
  std::string out;
  for (const auto& [word, size] : units) {
    const std::uint64_t first = least / size + (least % size == 0 ? 0 : 1);
    if (first > most / size) continue;
    out += (out.empty() ? "" : "|") + digits_pattern(first, most / size) + std::string(word);
  }
  return out;
}

void add_kinds(const json::value& schema, Kinds& kinds) {
  const json::object& object = schema.as_object();
  const auto add = [&](const json::value& type) {
    if (type == "string") kinds.text = true;
    if (type == "number" || type == "integer") kinds.number = true;
    if (type == "boolean") kinds.truth = true;
  };
  if (const json::value* type = object.if_contains("type")) {
    if (type->is_array()) {
      for (const json::value& each : type->as_array()) add(each);
    } else {
      add(*type);
    }
  }
  if (const json::value* words = object.if_contains("enum")) {
    for (const json::value& word : words->as_array()) {
      kinds.text = kinds.text || word.is_string();
      kinds.number = kinds.number || word.is_number();
      kinds.truth = kinds.truth || word.is_bool();
    }
  }
  if (const json::value* alternatives = object.if_contains("anyOf")) {
    for (const json::value& each : alternatives->as_array()) add_kinds(each, kinds);
  }
}

// Moves what has a name under `definitions`, and leaves a reference.
json::value hoisted(const json::value& value, json::object& definitions) {
  if (value.is_array()) {
    json::array out;
    for (const json::value& item : value.as_array()) out.push_back(hoisted(item, definitions));
    return out;
  }
  if (!value.is_object()) return value;
  json::object out;
  for (const auto& [key, item] : value.as_object()) {
    if (key != kName) out[key] = hoisted(item, definitions);
  }
  const json::value* name = value.as_object().if_contains(kName);
  if (name == nullptr) return out;
  const json::value* same = definitions.if_contains(name->as_string());
  if (same != nullptr && *same != json::value(out)) {
    throw std::logic_error("two schemas are named " + std::string(name->as_string()));
  }
  definitions[name->as_string()] = out;
  return json::object{{"$ref", "#/definitions/" + std::string(name->as_string())}};
}

std::string on_one_line(const json::value& value) {
  std::string out;
  if (value.is_double()) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value.as_double());
    return text;
  }
  if (value.is_array()) {
    for (const json::value& item : value.as_array()) out += (out.empty() ? "" : ", ") + on_one_line(item);
    return '[' + out + ']';
  }
  if (value.is_object()) {
    for (const auto& [key, item] : value.as_object()) {
      out += (out.empty() ? "" : ", ") + json::serialize(key) + ": " + on_one_line(item);
    }
    return '{' + out + '}';
  }
  return json::serialize(value);
}

// As JSON is written by hand: on one line what fits on one, else an entry a line.
void put(const json::value& value, std::size_t depth, std::string& out) {
  constexpr std::size_t kLine = 100;
  const std::string line = on_one_line(value);
  if (value.is_primitive() || line.size() + 2 * depth <= kLine) {
    out += line;
    return;
  }
  const std::string indent = '\n' + std::string(2 * (depth + 1), ' ');
  const char* comma = "";
  out += value.is_array() ? '[' : '{';
  if (value.is_array()) {
    for (const json::value& item : value.as_array()) {
      out += std::exchange(comma, ",") + indent;
      put(item, depth + 1, out);
    }
  } else {
    for (const auto& [key, item] : value.as_object()) {
      out += std::exchange(comma, ",") + indent + json::serialize(key) + ": ";
      put(item, depth + 1, out);
    }
  }
  out += '\n' + std::string(2 * depth, ' ') + (value.is_array() ? ']' : '}');
}

}  // namespace

Kinds kinds_of(const Schema& schema) {
  Kinds kinds;
  add_kinds(schema, kinds);
  return kinds;
}

Schema text_schema(std::string_view pattern, std::string_view expected) {
  return {{"type", "string"},
          {"pattern", "^(" + std::string(pattern) + ")$"},
          {"patternErrorMessage", "must be " + std::string(expected)}};
}

Schema any_text_schema() {
  return named("text", {{"type", {"string", "number"}},
                        {"minLength", 1},
                        {"pattern", '^' + kPlain + R"(\$*$)"},
                        {"patternErrorMessage", "`${` must be followed by a variable's name and `}`"}});
}

Schema dollars_schema(std::string_view pattern, std::string_view expected) {
  Schema out = text_schema(pattern, expected);
  out["allOf"] = json::array{named("dollars", {{"pattern", '^' + kPlain + R"(\$*$)"}})};
  return out;
}

Schema whole_schema(std::uint64_t least, std::uint64_t most) {
  return {{"type", "integer"}, {"minimum", least}, {"maximum", most}};
}

Schema words_schema(const std::vector<std::string>& words) {
  json::array out;
  for (const std::string& word : words) {
    if (word == "true" || word == "on") {
      out.push_back(true);
      out.push_back("on");
      continue;
    }
    if (word == "false" || word == "off") {
      out.push_back("off");
      out.push_back(false);
      continue;
    }
    out.push_back(json::string(word));
    double number = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && end == word.data() + word.size()) out.push_back(number);
  }
  return {{"enum", std::move(out)}};
}

Schema truth_schema() {
  return {{"enum", {true, false, "on", "off"}}};
}

Schema list_schema(const Schema& item, bool may_be_empty) {
  Schema out{{"type", "array"}, {"items", item}};
  if (!may_be_empty) out["minItems"] = 1;
  return out;
}

Schema map_schema(json::object properties, json::array required) {
  Schema out{{"type", "object"}, {"additionalProperties", false}};
  if (!required.empty()) out["required"] = std::move(required);
  out["properties"] = std::move(properties);
  return out;
}

Schema named(std::string_view name, Schema schema) {
  schema[kName] = name;
  return schema;
}

Schema any_of(const std::vector<Schema>& alternatives) {
  json::array out;
  const auto add = [&](const json::value& alternative) {
    if (std::find(out.begin(), out.end(), alternative) == out.end()) out.push_back(alternative);
  };
  for (const Schema& alternative : alternatives) {
    const json::value* inner = alternative.if_contains("anyOf");
    if (inner != nullptr && alternative.size() == 1) {
      for (const json::value& each : inner->as_array()) add(each);
    } else {
      add(alternative);
    }
  }
  return {{"anyOf", std::move(out)}};
}

Schema or_variable(const Schema& schema) {
  return any_of({schema, variable()});
}

Schema annotated(Schema schema, std::string_view key, json::value value) {
  // draft-07 lets nothing stand beside a reference
  if (schema.contains(kName)) schema = {{"allOf", json::array{std::move(schema)}}};
  schema[key] = std::move(value);
  return schema;
}

std::string digits_pattern(std::uint64_t least, std::uint64_t most) {
  const std::string last = std::to_string(most);
  std::string from = std::to_string(least);
  std::vector<std::string> lengths;
  // how many digits the numbers have of which every one is meant
  std::size_t whole_begin = 0;
  std::size_t whole_end = 0;
  for (; from.size() <= last.size(); from = '1' + std::string(from.size(), '0')) {
    const std::string to = from.size() == last.size() ? last : std::string(from.size(), '9');
    const bool is_whole = from.find_first_not_of('0', 1) == from.npos && from.front() <= '1' &&
                          to.find_first_not_of('9') == to.npos;
    if (!is_whole) {
      lengths.push_back(between(from, to));
    } else {
      if (whole_begin == 0) whole_begin = from.size();
      whole_end = from.size();
    }
  }
  if (whole_begin != 0) {
    const auto count = [](std::size_t lower, std::size_t upper) {
      return '{' + std::to_string(lower) + ',' + std::to_string(upper) + '}';
    };
    lengths.push_back(least == 0 ? "[0-9]" + count(1, whole_end)
                                 : "[1-9][0-9]" + count(whole_begin - 1, whole_end - 1));
  }
  return "0*" + joined(lengths);
}

std::string time_pattern(std::chrono::milliseconds least, std::chrono::milliseconds most) {
  return amounts_pattern(static_cast<std::uint64_t>(least.count()), static_cast<std::uint64_t>(most.count()),
                         {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}});
}

std::string size_pattern(std::uint64_t least, std::uint64_t most) {
  return amounts_pattern(least, most, {{"", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}});
}

std::string print(const Schema& document) {
  json::object definitions;
  json::object out = hoisted(document, definitions).as_object();
  out["definitions"] = std::move(definitions);
  std::string text;
  put(out, 0, text);
  return text + '\n';
}

}  // namespace holdfast::settings
