#include "settings/syntax_hint.h"

#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <cstddef>
#include <initializer_list>

#include "base/ascii.h"

namespace holdfast::settings {
namespace {

constexpr std::string_view kSpace = "; a key's colon needs a space behind it";

std::string_view trimmed(std::string_view line) {
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  while (line.starts_with("- ")) {
    line.remove_prefix(2);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Where line `number` begins; they count from 1. The text's end where there are fewer.
std::size_t begin_of(std::string_view text, unsigned number) {
  std::size_t begin = 0;
  for (; number > 1 && begin < text.size(); --number)
    begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
  return begin;
}

std::string_view line_from(std::string_view text, std::size_t begin) {
  return text.substr(begin, text.find('\n', begin) - begin);
}

// Where the line above begins; none is above the first.
std::size_t begin_above(std::string_view text, std::size_t begin) {
  return begin < 2 ? 0 : text.rfind('\n', begin - 2) + 1;
}

bool is_any(std::string_view message, std::initializer_list<const char*> those) {
  return std::ranges::any_of(those, [message](const char* each) { return message == each; });
}

bool is_key_character(char c) {
  return is_alpha(c) || is_digit(c) || c == '_' || c == '-';
}

// `issuer:https://...`, which is one word. `https://...` alone is meant to be one, and so is 10:30.
bool lacks_space(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon + 1 == line.size() || line[colon + 1] == ' ') return false;
  const std::string_view key = line.substr(0, colon);
  return std::ranges::all_of(key, is_key_character) && std::ranges::any_of(key, is_alpha) &&
         !line.substr(colon).starts_with("://");
}

// `key: some: thing`
bool holds_second_colon(std::string_view line) {
  line = trimmed(line);
  const std::size_t first = line.find(": ");
  if (first == std::string_view::npos) return false;
  const std::string_view value = line.substr(std::min(line.find_first_not_of(' ', first + 1), line.size()));
  return !value.empty() && !std::string_view("{['\"#|>").contains(value[0]) && value.contains(": ");
}

}  // namespace

std::string syntax_hint(std::string_view text, const Mark& mark, std::string_view message) {
  using namespace YAML::ErrorMsg;
  std::size_t begin = begin_of(text, mark.line);
  const std::string_view line = line_from(text, begin);
  const std::string_view indentation = line.substr(0, std::min(line.find_first_not_of(" \t"), line.size()));
  if (indentation.contains('\t')) return "; a tab indents this line, and YAML takes spaces only";

  if (is_any(message, {UNKNOWN_ANCHOR, ALIAS_NOT_FOUND, CHAR_IN_ALIAS}))
    return "; a value that begins with * stands in quotes";
  if (is_any(message, {ANCHOR_NOT_FOUND, CHAR_IN_ANCHOR}))
    return "; a value that begins with & stands in quotes";
  const char met = mark.column <= line.size() ? line[mark.column - 1] : '\0';
  if (message == UNKNOWN_TOKEN && std::string_view("@`%").contains(met))
    return std::string("; a value that begins with ") + met + " stands in quotes";
  if (is_any(message, {END_OF_MAP_FLOW, END_OF_SEQ_FLOW, FLOW_END}))
    return "; is each { and [ closed by its own kind?";

  if (!is_any(message, {MAP_VALUE, MAP_KEY, END_OF_MAP, END_OF_SEQ, BLOCK_ENTRY})) return "";
  for (unsigned number = mark.line, near = 0; number > 0 && near < 2; --number) {
    const std::string_view word = trimmed(line_from(text, begin));
    if (lacks_space(word))
      return "; a key's colon needs a space behind it, on line " + std::to_string(number);
    if (!word.empty() && !word.starts_with('#')) ++near;
    begin = begin_above(text, begin);
  }
  if (holds_second_colon(line)) return "; a value that holds a colon and a space stands in quotes";
  return "; the keys of one map, and the items of one list, begin in one column";
}

std::string word_hint(std::string_view word) {
  return lacks_space(word) ? std::string(kSpace) : "";
}

}  // namespace holdfast::settings
