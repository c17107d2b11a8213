#include "settings/expand.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace holdfast::settings {
namespace {

bool is_variable_name(std::string_view name) {
  return !name.empty() && !is_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [](char c) { return is_alpha(c) || is_digit(c) || c == '_'; });
}

// `inside` is what stands between the braces.
std::expected<std::string, std::string> value_of(std::string_view inside, const Environment& environment) {
  const std::size_t colon = inside.find(":-");
  const std::string_view name = inside.substr(0, colon);
  if (!is_variable_name(name)) {
    return std::unexpected(
        "`${` must be followed by a variable's name and `}`; write `$${` for a literal one");
  }
  std::optional<std::string> value = environment(name);
  if (colon != std::string_view::npos) {
    return value && !value->empty() ? *std::move(value) : std::string(inside.substr(colon + 2));
  }
  if (!value) return std::unexpected("the environment variable " + std::string(name) + " is not set");
  return *std::move(value);
}

}  // namespace

std::expected<Expanded, std::string> expand(std::string_view text, const Environment& environment) {
  Expanded out;
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    out.text += text.substr(0, dollar);
    if (dollar == std::string_view::npos) break;
    text.remove_prefix(dollar);
    if (text.starts_with("$${")) {
      out.text += "${";
      text.remove_prefix(3);
    } else if (text.starts_with("${")) {
      const std::size_t close = text.find('}');
      if (close == std::string_view::npos) {
        return std::unexpected("`${` has no `}`; write `$${` for a literal one");
      }
      auto value = value_of(text.substr(2, close - 2), environment);
      if (!value) return std::unexpected(std::move(value.error()));
      out.text += *value;
      out.replaced = true;
      text.remove_prefix(close + 1);
    } else {
      out.text += '$';
      text.remove_prefix(1);
    }
  }
  return out;
}

}  // namespace holdfast::settings
