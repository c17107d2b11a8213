// The whole way from a configuration's text to Settings: YAML, `${...}`, keys and types, names, checks. A
// syntax error stands alone; everything else is reported at once. Pure: the environment and the file system
// are arguments. Called by cli (start, reload and `check`); any thread.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "settings/model.h"
#include "settings/problem.h"
#include "settings/world.h"

namespace holdfast::settings {

struct Loaded {
  std::optional<Settings> settings;  // where there are no errors
  std::vector<Problem> errors;       // in the order of the file
  std::vector<Problem> warnings;     // likewise; only where there are no errors of syntax
  std::string shown;                 // what the file says, for people: no comment, no `${...}` replaced
  // Something to say about the value at a path of the settings, with its position and as the file spells it.
  // Where the file was read as far as that; callable always.
  std::function<Problem(std::string_view path, std::string message)> at = [](std::string_view path,
                                                                             std::string message) {
    return Problem{{}, std::string(path), std::move(message)};
  };
};

// `file` is how the text's file was named; paths in it are relative to its folder. `running`: what the
// process serves with that the file is to be taken by (running.h); null where it starts.
[[nodiscard]] Loaded load(std::string_view text, const std::filesystem::path& file, const World& world,
                          const Settings* running = nullptr);

}  // namespace holdfast::settings
