// The configuration where it meets the machine: the file's bytes, the environment, what files are there.
// Everything else is settings/. Blocking reads of small files: at start, in commands, or on the control
// thread.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>

#include "settings/load.h"

namespace holdfast::cli {

// This process's environment and file system.
[[nodiscard]] settings::World this_machine();

// A file that cannot be read is an error of the configuration like any other, without a position to speak of.
// `running`: what a reload is to be taken by; null at start. `now`: settings::World's.
[[nodiscard]] settings::Loaded read_configuration(const std::filesystem::path& file,
                                                  const settings::Settings* running = nullptr,
                                                  std::optional<std::chrono::sys_seconds> now = {});

// Without looking at the files that it names.
[[nodiscard]] settings::Loaded read_configuration_alone(const std::filesystem::path& file);

// One line a problem on stderr, warnings marked as such.
void print_problems(const settings::Loaded& loaded, const std::filesystem::path& file);

}  // namespace holdfast::cli
