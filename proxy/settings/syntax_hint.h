// What a syntax error most likely comes from, and how to mend it: YAML's own words say what a parser met, and
// not what the file's author did. Guesses from the line that the error is on and the one above. Pure; any
// thread.
#pragma once

#include <string>
#include <string_view>

#include "settings/problem.h"

namespace holdfast::settings {

// "; ..." to stand behind yaml-cpp's message, or nothing.
[[nodiscard]] std::string syntax_hint(std::string_view text, const Mark& mark, std::string_view message);

// The same for a word that stands where a map is wanted.
[[nodiscard]] std::string word_hint(std::string_view word);

}  // namespace holdfast::settings
