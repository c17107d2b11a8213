#include "cli/drain.h"

#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <system_error>

#include "cli/command_line.h"
#include "cli/file.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxCommandLine = 64 * 1024;

bool same_executable(const std::filesystem::path& other) {
  struct stat own{};
  struct stat found{};
  return stat("/proc/self/exe", &own) == 0 && stat((other / "exe").c_str(), &found) == 0 &&
         own.st_dev == found.st_dev && own.st_ino == found.st_ino;
}

// The first argument that is no flag is the command; `run` has no flag before it that takes a value.
bool is_run(const std::filesystem::path& process) {
  const auto line = read_file(process / "cmdline", kMaxCommandLine);
  if (!line) return false;
  std::string_view rest = *line;
  rest.remove_prefix(std::min(rest.find('\0') + 1, rest.size()));
  while (!rest.empty()) {
    const std::string_view argument = rest.substr(0, rest.find('\0'));
    if (!argument.starts_with('-')) return argument == "run";
    rest.remove_prefix(std::min(argument.size() + 1, rest.size()));
  }
  return false;
}

class PidFd {
 public:
  explicit PidFd(pid_t pid) : fd_(static_cast<int>(syscall(SYS_pidfd_open, pid, 0))) {}
  PidFd(const PidFd&) = delete;
  PidFd& operator=(const PidFd&) = delete;
  ~PidFd() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

int fail(const std::string& why) {
  std::fprintf(stderr, "holdfast drain: %s\n", why.c_str());
  return kFailed;
}

}  // namespace

std::vector<pid_t> find_running(const std::filesystem::path& proc) {
  std::vector<pid_t> found;
  std::error_code ignored;  // processes come and go while we look
  for (auto entry = std::filesystem::directory_iterator(proc, ignored);
       entry != std::filesystem::directory_iterator(); entry.increment(ignored)) {
    const std::string name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (error != std::errc() || end != name.data() + name.size() || pid == getpid()) continue;
    if (same_executable(entry->path()) && is_run(entry->path())) found.push_back(pid);
  }
  std::sort(found.begin(), found.end());
  return found;
}

int drain(const DrainOptions& options) {
  pid_t pid = options.pid.value_or(0);
  if (!options.pid) {
    const std::vector<pid_t> running = find_running("/proc");
    if (running.empty()) return fail("no `holdfast run` is running here, or it belongs to another user");
    if (running.size() > 1) {
      std::string list;
      for (const pid_t one : running) list += ' ' + std::to_string(one);
      return fail("several are running, choose one with --pid:" + list);
    }
    pid = running.front();
  }
  const PidFd process(pid);
  if (process.get() < 0)
    return fail("process " + std::to_string(pid) + ": " + std::generic_category().message(errno));
  if (syscall(SYS_pidfd_send_signal, process.get(), SIGTERM, nullptr, 0) != 0) {
    return fail("process " + std::to_string(pid) + ": " + std::generic_category().message(errno));
  }
  if (options.timeout_seconds == 0) return kDone;
  pollfd gone{process.get(), POLLIN, 0};
  int ready = 0;
  do {
    ready = poll(&gone, 1, options.timeout_seconds * 1'000);
  } while (ready < 0 && errno == EINTR);
  if (ready == 1) return kDone;
  return fail("process " + std::to_string(pid) + " is still there after " +
              std::to_string(options.timeout_seconds) + " s");
}

}  // namespace holdfast::cli
