// Field names as CGI, WSGI and their kin read them: they turn '-' into '_' (and some any other character), so
// that a backend takes X_Forwarded_For for X-Forwarded-For. What must not get through is therefore compared
// folded: lower-case, and
// '-' for everything that is neither letter nor digit. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ascii.h"

namespace holdfast::http {

[[nodiscard]] constexpr char fold_name_char(char c) {
  return is_alpha(c) || is_digit(c) ? ascii_lower(c) : '-';
}

[[nodiscard]] inline std::string fold_name(std::string_view name) {
  std::string folded(name);
  for (char& c : folded) c = fold_name_char(c);
  return folded;
}

// `folded` as fold_name writes it.
[[nodiscard]] constexpr bool name_starts_with(std::string_view name, std::string_view folded) {
  if (name.size() < folded.size()) return false;
  for (std::size_t i = 0; i < folded.size(); ++i) {
    if (fold_name_char(name[i]) != folded[i]) return false;
  }
  return true;
}
[[nodiscard]] constexpr bool name_is(std::string_view name, std::string_view folded) {
  return name.size() == folded.size() && name_starts_with(name, folded);
}

}  // namespace holdfast::http
