// The pieces that the configuration's one description is made of (keys.cc): a Value<T> knows what a node must
// be to become a T and says so where it is not; a Key binds a name to a member. Reading, unknown keys with
// suggestions, wrong types and not yet supported features all come from the same table, so none of them can
// disagree with another. Immutable after construction; any thread.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/node.h"
#include "settings/report.h"

namespace holdfast::settings {

// nullopt: the report has been told why not. T is what stands for it in a list: its default.
template <class T>
struct Value {
  std::function<std::optional<T>(const Node&, const Place&, Report&)> read;
};

template <class Owner>
struct Key {
  std::string name;
  std::function<void(const Node&, const Place&, Owner&, Report&)> read;
  bool is_required = false;

  [[nodiscard]] Key required() && {
    is_required = true;
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

// What YAML 1.1 or 1.2 take for a truth or a number, and not for a word, when it stands without quotes.
[[nodiscard]] inline bool is_off(const Node& node) {
  return node.kind == Node::Kind::kScalar && (!node.quoted || node.expanded) &&
         (node.text == "off" || node.text == "false");
}
[[nodiscard]] inline bool is_on(const Node& node) {
  return node.kind == Node::Kind::kScalar && (!node.quoted || node.expanded) &&
         (node.text == "on" || node.text == "true");
}

// ---- values

// `parse` takes the text; its error is what stands after "must be".
template <class Parse>
auto scalar(Parse parse) {
  using T = typename decltype(parse(std::string_view()))::value_type;
  return Value<T>{[parse](const Node& node, const Place& place, Report& report) -> std::optional<T> {
    auto parsed = parse(node.kind == Node::Kind::kScalar ? std::string_view(node.text) : std::string_view());
    if (node.kind == Node::Kind::kScalar && parsed) return *std::move(parsed);
    return refuse(node, place, report, parsed ? "a single value" : parsed.error());
  }};
}

// A number: without quotes.
template <class Parse>
auto number(Parse parse) {
  auto inner = scalar(parse);
  return decltype(inner){[inner, parse](const Node& node, const Place& place,
                                        Report& report) -> decltype(inner.read(node, place, report)) {
    if (node.kind == Node::Kind::kScalar && node.quoted && !node.expanded) {
      const auto parsed = parse(std::string_view());
      return refuse(node, place, report, (parsed ? "a number" : parsed.error()) + " without quotes");
    }
    return inner.read(node, place, report);
  }};
}

[[nodiscard]] Value<bool> boolean();
// Any text but the empty one.
[[nodiscard]] Value<std::string> text();

template <class T>
struct Choice {
  std::string word;
  std::optional<T> value;  // nullopt: the contract's, not yet supported
};

[[nodiscard]] std::string one_of(const std::vector<std::string>& words);

// One of a few words. "off" may also be written false.
template <class T>
Value<T> choice(std::vector<Choice<T>> choices) {
  return {[choices](const Node& node, const Place& place, Report& report) -> std::optional<T> {
    std::vector<std::string> words;
    for (const auto& [word, value] : choices) {
      if (value) words.push_back(word);
      if (node.kind != Node::Kind::kScalar || !(node.text == word || (word == "off" && is_off(node))))
        continue;
      if (!value) report.error(node, place, describe(node) + " is " + std::string(kNotYet));
      return value;
    }
    return refuse(node, place, report, one_of(words));
  }};
}

template <class T>
Value<std::vector<T>> list(Value<T> item) {
  return {[item](const Node& node, const Place& place, Report& report) -> std::optional<std::vector<T>> {
    if (node.kind != Node::Kind::kList) return refuse(node, place, report, "a list");
    std::vector<T> out;
    for (std::size_t i = 0; i < node.items.size(); ++i) {
      // a broken item keeps its place, so that the checks that come later count as the file does; they skip
      // it
      auto read = item.read(node.items[i], Place(place, i), report);
      out.push_back(read ? *std::move(read) : T());
    }
    return out;
  }};
}

// A list, or one value that stands for a list of one. Empty lists are refused: they would mean "anything" or
// "nothing", and nobody could tell which.
template <class T>
Value<std::vector<T>> one_or_list(Value<T> item) {
  return {[item](const Node& node, const Place& place, Report& report) -> std::optional<std::vector<T>> {
    if (node.kind == Node::Kind::kList) {
      if (node.items.empty()) {
        report.error(node, place, "must not be empty; leave the key out instead");
        return std::nullopt;
      }
      return list(item).read(node, place, report);
    }
    auto read = item.read(node, place, report);
    if (!read) return std::nullopt;
    return std::vector<T>{*std::move(read)};
  }};
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
    if (key.is_required && node.find(key.name) == nullptr) {
      report.error(node, Place(place, key.name), "is required");
    }
  }
}

template <class T>
Value<T> map(Keys<T> keys) {
  return {[keys = std::move(keys)](const Node& node, const Place& place, Report& report) -> std::optional<T> {
    if (node.kind != Node::Kind::kMap) return refuse(node, place, report, "a map");
    T out;
    read_map(node, place, keys, out, report);
    return out;
  }};
}

// Where `off` may stand instead of the map.
template <class T>
Value<std::optional<T>> or_off(Value<T> value) {
  return {[value](const Node& node, const Place& place, Report& report) -> std::optional<std::optional<T>> {
    if (is_off(node)) return std::optional<T>();
    auto read = value.read(node, place, report);
    if (!read) return std::nullopt;
    return std::optional<T>(*std::move(read));
  }};
}

// A value that is a T, from one that was read as something else.
template <class From, class Convert>
auto converted(Value<From> value, Convert convert) {
  using T = decltype(convert(std::declval<From>()));
  return Value<T>{[value, convert](const Node& node, const Place& place, Report& report) -> std::optional<T> {
    auto read = value.read(node, place, report);
    if (!read) return std::nullopt;
    return convert(*std::move(read));
  }};
}

// ---- keys

template <class Owner, class Class, class Member, class T>
Key<Owner> member(std::string name, Value<T> value, Member Class::* at) {
  return {std::move(name), [value, at](const Node& node, const Place& place, Owner& owner, Report& report) {
            auto read = value.read(node, place, report);
            if (read) owner.*at = Member(*std::move(read));
          }};
}

// Writes a map's values over the defaults that its owner already holds.
template <class Owner, class Class, class Member>
Key<Owner> section(std::string name, Keys<Member> keys, Member Class::* member) {
  return {std::move(name), [keys = std::move(keys), member](const Node& node, const Place& place,
                                                            Owner& owner, Report& report) {
            if (node.kind == Node::Kind::kMap) {
              read_map(node, place, keys, owner.*member, report);
            } else {
              refuse(node, place, report, "a map");
            }
          }};
}

// A key of a later feature: the value that says "without it" is taken, where there is one.
template <class Owner>
Key<Owner> not_yet(std::string name, std::vector<std::string> accepted = {}) {
  return {std::move(name), [accepted](const Node& node, const Place& place, Owner&, Report& report) {
            for (const std::string& value : accepted) {
              if (node.kind == Node::Kind::kScalar && node.text == value) return;
              if ((value == "off" || value == "false") && is_off(node)) return;
              if (value == "true" && is_on(node)) return;
            }
            if (node.kind == Node::Kind::kNull && !accepted.empty()) {
              refuse(node, place, report, one_of(accepted));
              return;
            }
            std::string message(kNotYet);
            if (!accepted.empty())
              message = describe(node) + " is not yet supported; the only value is " + accepted.front();
            report.error(node, place, std::move(message));
          }};
}

}  // namespace holdfast::settings
