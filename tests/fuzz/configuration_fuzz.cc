// Any bytes as a configuration: taken or refused with at least one line, never both, never neither, and
// nothing else happens. Seeds: tests/fuzz/corpus/configuration.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "settings/load.h"

namespace {

using namespace holdfast::settings;

// Reads two bits off the name, so that the fuzzer reaches what depends on the machine.
World some_machine() {
  return {[](std::string_view name) -> std::optional<std::string> {
            return name.size() % 2 == 0 ? std::optional<std::string>(name) : std::nullopt;
          },
          [](const std::filesystem::path& path) { return static_cast<FileState>(path.native().size() % 4); },
          [](const std::filesystem::path& path) -> std::optional<std::string> { return path.string(); }};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Loaded loaded = load(text, "/etc/holdfast/holdfast.yaml", some_machine());
  if (loaded.settings.has_value() != loaded.errors.empty()) std::abort();
  for (const Problem& problem : loaded.errors) {
    if (problem.message.empty() || to_string(problem, "f").contains('\n')) std::abort();
  }
  return 0;
}
