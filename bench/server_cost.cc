// See server_cost.h.
#include "server_cost.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace holdfast::bench {

std::uint64_t cpu_nanoseconds(const std::vector<int>& pids) {
  std::uint64_t total = 0;
  for (const int pid : pids) {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
      std::uint64_t running = 0;
      if (!(std::ifstream(thread.path() / "schedstat") >> running)) throw std::runtime_error("no schedstat");
      total += running;
    }
  }
  return total;
}

std::uint64_t resident_bytes(const std::vector<int>& pids) {
  std::uint64_t total = 0;
  for (const int pid : pids) {
    std::uint64_t size = 0;
    std::uint64_t resident = 0;
    if (!(std::ifstream("/proc/" + std::to_string(pid) + "/statm") >> size >> resident)) {
      throw std::runtime_error("no statm");
    }
    total += resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  return total;
}

}  // namespace holdfast::bench
