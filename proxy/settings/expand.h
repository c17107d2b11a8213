// `${NAME}` and `${NAME:-default}` inside scalars, replaced once, after parsing; the result is never parsed
// again, so no variable can add a key. `$${` is a literal `${`; any other `$` is itself. NAME:
// [A-Za-z_][A-Za-z0-9_]*. The default stands for a variable that is unset or empty, as in a shell, and holds
// no `}`. Pure: the environment is an argument.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace holdfast::settings {

using Environment = std::function<std::optional<std::string>(std::string_view name)>;

struct Expanded {
  std::string text;
  bool replaced = false;
};

// The error says what is wrong, without naming any value.
[[nodiscard]] std::expected<Expanded, std::string> expand(std::string_view text,
                                                          const Environment& environment);

}  // namespace holdfast::settings
