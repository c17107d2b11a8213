// YAML text to a tree that knows the position of every key and value, from the one subset that a
// configuration needs: one document of maps with scalar keys, lists and scalars. Anchors, aliases, tags,
// directives, maps as keys, a second document, what is not UTF-8, and more than 4 MiB, 64 levels, 250,000
// nodes or 64 KiB a line are refused: they only ever hide what a file says, or feed a bomb. yaml-cpp keeps
// the last of two equal keys silently, so duplicates are recorded here. Pure; any thread.
#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "settings/problem.h"

namespace holdfast::settings {

inline constexpr std::size_t kMaxFileBytes = 4 * 1024 * 1024;
inline constexpr std::size_t kMaxDepth = 64;
inline constexpr std::size_t kMaxNodes = 250'000;
// yaml-cpp holds every token of a line of flow style until it ends: 4 MiB of "[" would take a gigabyte.
inline constexpr std::size_t kMaxLineBytes = 64 * 1024;

struct Entry;

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  Mark mark;
  std::string text;  // of a scalar: what counts, with `${...}` replaced
  std::string
      written;  // of a scalar: what the file has; the only form that is ever shown, as `${...}` may be secret
  bool quoted = false;    // "12" is not a number
  bool expanded = false;  // held a `${...}`: its text is taken as any type
  bool broken = false;    // its `${...}` was refused already: nothing more is said about it
  std::vector<Node> items;
  std::vector<Entry> entries;

  // The value under a key, or null.
  [[nodiscard]] const Node* find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Mark mark;                     // the key's
  std::optional<Mark> repeated;  // where the same key stood before
  Node value;
};

// "a list", "a map", "empty", or the scalar as written, quoted, cut short, and without control bytes.
[[nodiscard]] std::string describe(const Node& node);

// The first thing that makes the text no configuration at all. Stands alone, without a path.
[[nodiscard]] std::expected<Node, Problem> parse_yaml(std::string_view text);

}  // namespace holdfast::settings
