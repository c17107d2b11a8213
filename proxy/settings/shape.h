// The pieces that the configuration's one description is made of (keys.cc): a Value<T> knows what a node must
// be to become a T, says so where it is not, and says the same as a JSON Schema; a Key binds a name to a
// member. Reading, unknown keys with suggestions, wrong types, not yet supported features and the schema that
// editors take all come from the same table, so none of them can disagree with another. What a value must be
// to another (check.h, resolve.h) is in no schema. Immutable after construction; any thread.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "settings/node.h"
#include "settings/report.h"
#include "settings/schema.h"

namespace holdfast::settings {

// read: nullopt where the report has been told why not. schema: every node that read takes, and no other.
// write: a T as the file would say it, for the schema's defaults; null, or no function, where it has no words
// for it.
template <class T>
struct Value {
  std::function<std::optional<T>(const Node&, const Place&, Report&)> read;
  Schema schema;
  std::function<boost::json::value(const T&)> write = {};
};

template <class Owner>
struct Key {
  std::string name;
  std::function<void(const Node&, const Place&, Owner&, Report&)> read;
  Schema schema;        // empty: no value is taken, so that no editor should offer the key
  std::string missing;  // what is said where the key is; empty: it need not be there

  [[nodiscard]] Key required(std::string_view why = "is required") && {
    missing = why;
    return std::move(*this);
  }
  // One line for whoever writes the file, shown by editors.
  [[nodiscard]] Key about(std::string_view description) && {
    if (!schema.empty())
      schema = annotated(std::move(schema), "description", boost::json::string(description));
    return std::move(*this);
  }
};

template <class Owner>
using Keys = std::vector<Key<Owner>>;

inline std::nullopt_t refuse(const Node& node, const Place& place, Report& report,
                             std::string_view expected) {
  report.error(node, place, "must be " + std::string(expected) + ", not " + describe(node));
  return std::nullopt;
}

// How the refusal of a feature that the contract names, and that does not exist yet, reads everywhere.
inline constexpr std::string_view kNotYet = "not yet supported";

// What JSON sees of a scalar once YAML 1.2 has read it: text, where it has quotes. What `${...}` was replaced
// by counts as any of them.
[[nodiscard]] bool is_truth(const Node& node);
[[nodiscard]] bool is_number(const Node& node);
[[nodiscard]] bool takes(const Kinds& kinds, const Node& node);

// YAML 1.1 takes off and on for a truth, 1.2 for words; both count, whoever wrote the file.
[[nodiscard]] bool is_off(const Node& node);
[[nodiscard]] bool is_on(const Node& node);

// ---- values

// `parse` takes the text; its error is what stands after "must be". `form` is the same as a schema, and says
// whether a number or a truth is taken without quotes; `${...}` is taken of itself.
template <class Parse>
auto scalar(Parse parse, const Schema& form) {
  using T = typename decltype(parse(std::string_view()))::value_type;
  const auto read = [parse, kinds = kinds_of(form)](const Node& node, const Place& place,
                                                    Report& report) -> std::optional<T> {
    const bool is_scalar = node.kind == Node::Kind::kScalar;
    auto parsed = parse(is_scalar ? std::string_view(node.text) : std::string_view());
    if (is_scalar && parsed && takes(kinds, node)) return *std::move(parsed);
    if (parsed) parsed = parse(std::string_view());
    std::string expected = parsed ? "a single value" : parsed.error();
    if (is_scalar && node.quoted && !node.expanded && !kinds.text) expected += " without quotes";
    return refuse(node, place, report, expected);
  };
  return Value<T>{read, or_variable(form)};
}

[[nodiscard]] Value<bool> boolean();
// Any text but the empty one.
[[nodiscard]] Value<std::string> text();
// Of a Value<std::string>; the empty one is no default.
[[nodiscard]] boost::json::value write_text(const std::string& written);

template <class T>
struct Choice {
  std::string word;
  std::optional<T> value;  // nullopt: the contract's, not yet supported
};

[[nodiscard]] std::string one_of(const std::vector<std::string>& words);

// One of a few words. "off" may also be written false.
template <class T>
Value<T> choice(std::vector<Choice<T>> choices) {
  std::vector<std::string> words;
  for (const auto& [word, value] : choices) {
    if (value) words.push_back(word);
  }
  Schema schema = or_variable(words_schema(words));
  return {[choices, words](const Node& node, const Place& place, Report& report) -> std::optional<T> {
            for (const auto& [word, value] : choices) {
              if (node.kind != Node::Kind::kScalar || !(node.text == word || (word == "off" && is_off(node))))
                continue;
              if (!value) report.error(node, place, describe(node) + " is " + std::string(kNotYet));
              return value;
            }
            return refuse(node, place, report, one_of(words));
          },
          std::move(schema),
          [choices](const T& written) -> boost::json::value {
            for (const auto& [word, value] : choices) {
              if (value == written) return boost::json::string(word);
            }
            return nullptr;
          }};
}

template <class T>
boost::json::value write_list(const std::function<boost::json::value(const T&)>& write,
                              const std::vector<T>& values) {
  if (!write || values.empty()) return nullptr;
  boost::json::array out;
  for (const T& value : values) out.push_back(write(value));
  return out;
}

template <class T>
std::optional<std::vector<T>> read_list(const Value<T>& item, const Node& node, const Place& place,
                                        Report& report) {
  std::vector<T> out;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    // a broken item keeps its place, so that the checks that come later count as the file does; they skip it
    auto read = item.read(node.items[i], Place(place, i), report);
    out.push_back(read ? *std::move(read) : T());
  }
  return out;
}

// `empty`: what is said of an empty list; it is taken where nothing is.
template <class T>
Value<std::vector<T>> list(Value<T> item, std::string empty = "") {
  Schema schema = list_schema(item.schema, empty.empty());
  return {
      [item, empty](const Node& node, const Place& place, Report& report) -> std::optional<std::vector<T>> {
        if (node.kind != Node::Kind::kList) return refuse(node, place, report, "a list");
        if (node.items.empty() && !empty.empty()) {
          report.error(node, place, empty);
          return std::nullopt;
        }
        return read_list(item, node, place, report);
      },
      std::move(schema), [item](const std::vector<T>& values) { return write_list(item.write, values); }};
}

// A list, or one value that stands for a list of one. Empty lists are refused: they would mean "anything" or
// "nothing", and nobody could tell which.
template <class T>
Value<std::vector<T>> one_or_list(Value<T> item) {
  const auto whole = list(item, "must not be empty; leave the key out instead");
  Schema schema = any_of({item.schema, whole.schema});
  return {
      [item, whole](const Node& node, const Place& place, Report& report) -> std::optional<std::vector<T>> {
        if (node.kind == Node::Kind::kList) return whole.read(node, place, report);
        auto read = item.read(node, place, report);
        if (!read) return std::nullopt;
        return std::vector<T>{*std::move(read)};
      },
      std::move(schema), whole.write};
}

// ---- maps

void report_unknown(const Entry& entry, const Place& place, const std::vector<std::string>& known,
                    Report& report);
void report_repeated(const Entry& entry, const Place& place, Report& report);

template <class Owner>
void read_map(const Node& node, const Place& place, const Keys<Owner>& keys, Owner& owner, Report& report) {
  for (const Entry& entry : node.entries) {
    const Place at(place, entry.key);
    const Key<Owner>* known = nullptr;
    for (const Key<Owner>& key : keys) {
      if (key.name == entry.key) known = &key;
    }
    if (known == nullptr) {
      std::vector<std::string> names;
      if (!report.full()) {
        for (const Key<Owner>& key : keys) names.push_back(key.name);
      }
      report_unknown(entry, at, names, report);
    } else if (entry.repeated) {
      report_repeated(entry, at, report);
    } else {
      known->read(entry.value, at, owner, report);
    }
  }
  for (const Key<Owner>& key : keys) {
    if (!key.missing.empty() && node.find(key.name) == nullptr) {
      report.error(node, Place(place, key.name), key.missing);
    }
  }
}

template <class Owner>
Schema schema_of(const Keys<Owner>& keys) {
  boost::json::object properties;
  boost::json::array required;
  for (const Key<Owner>& key : keys) {
    if (!key.schema.empty()) properties[key.name] = key.schema;
    if (!key.missing.empty()) required.push_back(boost::json::string(key.name));
  }
  return map_schema(std::move(properties), std::move(required));
}

template <class T>
Value<T> map(Keys<T> keys) {
  Schema schema = schema_of(keys);
  return {[keys = std::move(keys)](const Node& node, const Place& place, Report& report) -> std::optional<T> {
            if (node.kind != Node::Kind::kMap) return refuse(node, place, report, "a map");
            T out;
            read_map(node, place, keys, out, report);
            return out;
          },
          std::move(schema)};
}

// The value under a name of its own in the schema, where that would else hold it twice.
template <class T>
Value<T> named(std::string_view name, Value<T> value) {
  value.schema = named(name, std::move(value.schema));
  return value;
}

// A map, or what stands for one in a single value.
template <class T>
Value<T> or_map(Value<T> alone, Value<T> map) {
  Schema schema = any_of({alone.schema, map.schema});
  return {[alone, map](const Node& node, const Place& place, Report& report) {
            return (node.kind == Node::Kind::kMap ? map : alone).read(node, place, report);
          },
          std::move(schema)};
}

// Where `off` may stand instead of the value.
template <class T>
Value<std::optional<T>> or_off(Value<T> value) {
  Schema schema = any_of({words_schema({"off"}), value.schema});
  const bool is_map = value.schema.contains("properties");
  return {[value, is_map](const Node& node, const Place& place,
                          Report& report) -> std::optional<std::optional<T>> {
            if (is_off(node)) return std::optional<T>();
            if (is_map && node.kind != Node::Kind::kMap) return refuse(node, place, report, "a map or off");
            auto read = value.read(node, place, report);
            if (!read) return std::nullopt;
            return std::optional<T>(*std::move(read));
          },
          std::move(schema),
          [value](const std::optional<T>& written) -> boost::json::value {
            if (!written) return "off";
            return value.write ? value.write(*written) : nullptr;
          }};
}

// A value that is a T, from one that was read as something else.
template <class From, class Convert>
auto converted(Value<From> value, Convert convert) {
  using T = decltype(convert(std::declval<From>()));
  Schema schema = value.schema;
  return Value<T>{[value, convert](const Node& node, const Place& place, Report& report) -> std::optional<T> {
                    auto read = value.read(node, place, report);
                    if (!read) return std::nullopt;
                    return convert(*std::move(read));
                  },
                  std::move(schema)};
}

// ---- keys

template <class Owner, class Class, class Member, class T>
Key<Owner> member(std::string name, Value<T> value, Member Class::* at) {
  Schema schema = value.schema;
  if constexpr (std::is_same_v<Member, T>) {
    // what the owner has where the file says nothing
    boost::json::value otherwise = value.write ? value.write(Owner().*at) : nullptr;
    if (!otherwise.is_null()) schema = annotated(std::move(schema), "default", std::move(otherwise));
  }
  return {.name = std::move(name),
          .read =
              [value, at](const Node& node, const Place& place, Owner& owner, Report& report) {
                auto read = value.read(node, place, report);
                if (read) owner.*at = Member(*std::move(read));
              },
          .schema = std::move(schema)};
}

// A map of keys that are members of the owner itself.
template <class Owner>
Key<Owner> group(std::string name, Keys<Owner> keys, std::string expected = "a map") {
  Schema schema = schema_of(keys);
  return {.name = std::move(name),
          .read =
              [keys = std::move(keys), expected](const Node& node, const Place& place, Owner& owner,
                                                 Report& report) {
                if (node.kind == Node::Kind::kMap) {
                  read_map(node, place, keys, owner, report);
                } else {
                  refuse(node, place, report, expected);
                }
              },
          .schema = std::move(schema)};
}

// A key of one of the owner's members.
template <class Owner, class Class, class Member>
Key<Owner> within(Member Class::* member, Key<Member> key) {
  return {.name = std::move(key.name),
          .read = [read = std::move(key.read), member](
                      const Node& node, const Place& place, Owner& owner,
                      Report& report) { read(node, place, owner.*member, report); },
          .schema = std::move(key.schema),
          .missing = std::move(key.missing)};
}

// Writes a map's values over the defaults that its owner already holds.
template <class Owner, class Class, class Member>
Key<Owner> section(std::string name, Keys<Member> keys, Member Class::* member) {
  return within<Owner>(member, group(std::move(name), std::move(keys)));
}

// A key of a later feature: the value that says "without it" is taken, where there is one.
template <class Owner>
Key<Owner> not_yet(std::string name, std::vector<std::string> accepted = {}) {
  Schema schema = accepted.empty() ? Schema() : or_variable(words_schema(accepted));
  return {.name = std::move(name),
          .read =
              [accepted](const Node& node, const Place& place, Owner&, Report& report) {
                for (const std::string& value : accepted) {
                  if (value == "off" || value == "false" ? is_off(node)
                      : value == "true"                  ? is_on(node)
                                                         : node.text == value)
                    return;
                }
                if (node.kind == Node::Kind::kNull && !accepted.empty()) {
                  refuse(node, place, report, one_of(accepted));
                  return;
                }
                std::string message(kNotYet);
                if (!accepted.empty())
                  message = describe(node) + " is not yet supported; the only value is " + accepted.front();
                report.error(node, place, std::move(message));
              },
          .schema = std::move(schema)};
}

// A key that people look for here, and that stands elsewhere: `why` says where, and why not here.
template <class Owner>
Key<Owner> elsewhere(std::string name, std::string why) {
  return {.name = std::move(name),
          .read = [why = std::move(why)](const Node& node, const Place& place, Owner&,
                                         Report& report) { report.error(node, place, why); },
          .schema = {}};
}

}  // namespace holdfast::settings
