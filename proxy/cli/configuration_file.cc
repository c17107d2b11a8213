#include "cli/configuration_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <system_error>

#include "cli/file.h"
#include "settings/node.h"

namespace holdfast::cli {
namespace {

settings::FileState file_state(const std::filesystem::path& path) {
  struct stat status{};
  if (stat(path.c_str(), &status) != 0) {
    return errno == EACCES ? settings::FileState::kUnreadable : settings::FileState::kMissing;
  }
  if (S_ISDIR(status.st_mode)) return settings::FileState::kFolder;
  if (access(path.c_str(), R_OK) != 0) return settings::FileState::kUnreadable;
  return (status.st_mode & S_IROTH) != 0 ? settings::FileState::kReadableByOthers
                                         : settings::FileState::kPrivate;
}

}  // namespace

settings::World this_machine() {
  return {[](std::string_view name) -> std::optional<std::string> {
            const char* value = std::getenv(std::string(name).c_str());
            return value == nullptr ? std::nullopt : std::optional<std::string>(value);
          },
          file_state,
          [](const std::filesystem::path& path) -> std::optional<std::string> {
            auto text = read_file(path, settings::kMaxFileBytes + 1);
            if (!text || text->size() > settings::kMaxFileBytes) return std::nullopt;
            return *std::move(text);
          }};
}

namespace {

settings::Loaded read_with(const settings::World& world, const std::filesystem::path& file,
                           const settings::Settings* running) {
  // one byte more than is accepted, so that the loader sees that it is too much
  const auto text = read_file(file, settings::kMaxFileBytes + 1);
  if (!text) return {std::nullopt, {{{}, "", "cannot be read: " + text.error()}}, {}, {}};
  return settings::load(*text, file, world, running);
}

}  // namespace

settings::Loaded read_configuration(const std::filesystem::path& file, const settings::Settings* running,
                                    std::optional<std::chrono::sys_seconds> now) {
  settings::World world = this_machine();
  world.now = now;
  return read_with(world, file, running);
}

settings::Loaded read_configuration_alone(const std::filesystem::path& file) {
  settings::World world = this_machine();
  world.file = [](const std::filesystem::path&) { return settings::FileState::kNotLookedAt; };
  return read_with(world, file, nullptr);
}

void print_problems(const settings::Loaded& loaded, const std::filesystem::path& file) {
  for (const settings::Problem& problem : loaded.errors) {
    std::fprintf(stderr, "%s\n", to_string(problem, file.string()).c_str());
  }
  for (settings::Problem problem : loaded.warnings) {
    problem.path.insert(0, "warning: ");
    std::fprintf(stderr, "%s\n", to_string(problem, file.string()).c_str());
  }
}

}  // namespace holdfast::cli
