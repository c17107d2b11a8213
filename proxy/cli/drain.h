// `holdfast drain`: SIGTERM to the `holdfast run` that shares this process's PID namespace, and the wait
// until it is gone, without a shell or a writable folder: a container's preStop hook is this alone. The
// process is found by its executable being this one; a pidfd keeps signal and wait on the very process that
// was found.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <vector>

namespace holdfast::cli {

struct DrainOptions {
  std::optional<pid_t> pid;   // instead of looking for it
  int timeout_seconds = 600;  // the process's own `shutdown` ends it sooner
};

// Processes under `proc` (/proc) whose executable is this one's and whose command is `run`.
[[nodiscard]] std::vector<pid_t> find_running(const std::filesystem::path& proc);

// 0 once it is gone (with a timeout of 0: was signalled), 1 where there is none, several, or it stays.
[[nodiscard]] int drain(const DrainOptions& options);

}  // namespace holdfast::cli
