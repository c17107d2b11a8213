// The known word that a mistyped one most likely meant. Pure; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace holdfast::settings {

// The nearest by insertions, deletions, substitutions and swaps of neighbours, where that is at most a third
// of the word's length and at most 3; a word that is the known one but for case, `-` and `_` always counts.
// Else the shortest that begins with the word, or that the word begins with.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> known);

// `; did you mean "access"?`, or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> known);

}  // namespace holdfast::settings
