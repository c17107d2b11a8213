// What the values of a configuration must be to each other and to the files around it: unique names, origins
// beside trusted proxies, no plain http to an issuer, certificates that are there. Pure: files are asked for
// by a function.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "settings/expand.h"
#include "settings/model.h"
#include "settings/report.h"

namespace holdfast::settings {

// kNotLookedAt: whoever reads the configuration does without its files.
enum class FileState { kMissing, kUnreadable, kPrivate, kReadableByOthers, kNotLookedAt };

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

// Makes every relative path one beside the file that named it (settings.file) and sees to it that it is
// there.
void settle_files(Settings& settings, const World& world, Report& report);

void check(const Settings& settings, const World& world, Report& report);

}  // namespace holdfast::settings
