// The machine that a configuration is read on, as the reading asks for it: by functions, so that it stays
// pure.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "settings/expand.h"

namespace holdfast::settings {

// kNotLookedAt: whoever reads the configuration does without its files.
enum class FileState { kMissing, kFolder, kUnreadable, kPrivate, kReadableByOthers, kNotLookedAt };

// What a configuration asks of the machine that it is read on.
struct World {
  Environment environment;
  std::function<FileState(const std::filesystem::path&)> file;
  // The text of a file that `file` found readable; nullopt: it is not, or is larger than any that is meant.
  std::function<std::optional<std::string>(const std::filesystem::path&)> contents;
  // A certificate that is out of its time now is an error. nullopt: not asked, by a process that is to serve
  // whatever the time is, since certificates are swapped while it does.
  std::optional<std::chrono::sys_seconds> now = {};
};

}  // namespace holdfast::settings
