// The words of JSON Schema (draft-07) that a configuration needs, for the pieces of shape.h: each says in
// them what it reads. Patterns keep to what every implementation of regular expressions has (no lookahead),
// since editors and validators of many languages take them. A schema that holds "$name" is written once,
// under "definitions". Immutable values; any thread.
#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast::settings {

using Schema = boost::json::object;

// What JSON sees of a scalar of YAML 1.2. A schema takes some of them, and its reader takes the same.
struct Kinds {
  bool text = false;
  bool number = false;
  bool truth = false;
};
[[nodiscard]] Kinds kinds_of(const Schema& schema);

// Text that matches the pattern as a whole. `expected` is what an editor says, after "must be".
[[nodiscard]] Schema text_schema(std::string_view pattern, std::string_view expected);
// Anything but the empty text, and numbers, which are taken for text.
[[nodiscard]] Schema any_text_schema();
// Like text_schema, of a form that may hold `${`: in it that has to be a variable or `$${` (expand.h).
[[nodiscard]] Schema dollars_schema(std::string_view pattern, std::string_view expected);
[[nodiscard]] Schema whole_schema(std::uint64_t least, std::uint64_t most);
// One of these; `off` is also false, `on` true, and a word that YAML takes for a number is also one.
[[nodiscard]] Schema words_schema(const std::vector<std::string>& words);
[[nodiscard]] Schema truth_schema();
[[nodiscard]] Schema list_schema(const Schema& item, bool may_be_empty);
[[nodiscard]] Schema map_schema(boost::json::object properties, boost::json::array required);
// A form that has a name of its own in the schema.
[[nodiscard]] Schema named(std::string_view name, Schema schema);
[[nodiscard]] Schema any_of(const std::vector<Schema>& alternatives);
// What is to be put into a scalar by `${NAME}`, and is known then only.
[[nodiscard]] Schema or_variable(const Schema& schema);
// The schema with a description or a default beside it.
[[nodiscard]] Schema annotated(Schema schema, std::string_view key, boost::json::value value);

// Decimal numbers from least to most, leading zeros allowed, as a regular expression.
[[nodiscard]] std::string digits_pattern(std::uint64_t least, std::uint64_t most);
// What parse_time and parse_size (words.h) take, as a regular expression.
[[nodiscard]] std::string time_pattern(std::chrono::milliseconds least, std::chrono::milliseconds most);
[[nodiscard]] std::string size_pattern(std::uint64_t least, std::uint64_t most);

// The document, indented, ending in a line feed.
[[nodiscard]] std::string print(const Schema& document);

}  // namespace holdfast::settings
