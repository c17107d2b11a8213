// The command line of the contract: which command runs with which values, and what its exit code says. Flags
// beat the environment (HOLDFAST_CONFIG, HOLDFAST_LOG_LEVEL), which beats the file. Data goes to stdout,
// words for people to stderr. Called once, by the program's main(), on its thread.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "cli/check.h"
#include "cli/explain.h"
#include "cli/test.h"
#include "settings/load.h"

namespace holdfast::cli {

// The contract's exit codes.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;
inline constexpr int kInvalid = 3;
inline constexpr int kUnreachable = 4;
inline constexpr int kDenied = 5;

struct RunOptions {
  settings::Settings settings;
  std::string shown;  // Loaded::shown
  // Where a process may be that this one takes over from, and where the next one will find this.
  std::optional<std::filesystem::path> takeover;
  // Reads the configuration anew, by what the process runs with (settings/running.h). Blocks for as long as a
  // small file takes.
  std::function<settings::Loaded(const settings::Settings& running)> read_anew;
};

// What `holdfast run` does once its configuration is read: serves until it is drained. 0 clean, 1 could not
// start or run.
using Run = std::function<int(RunOptions)>;

// What commands need that is made of more than the command line knows.
struct Actions {
  Run run;
  TryOut try_out;
  Reach reach;
  Explain explain;
  Recall recall;
  Decide decide;
};

[[nodiscard]] int main(int argc, char** argv, const Actions& actions);

}  // namespace holdfast::cli
