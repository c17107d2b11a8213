#include "usable_cpus.h"

#include <sched.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>

namespace holdfast {
namespace {

constexpr unsigned kMostUnasked = 8;

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

std::string first_line(const char* file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

unsigned affinity() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

std::optional<unsigned> quota() {
  if (const auto v2 = cpus_of_quota(first_line("/sys/fs/cgroup/cpu.max"))) return v2;
  // cgroup v1: -1 is no limit
  const std::string quota = first_line("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const std::string period = first_line("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  return cpus_of_quota(quota + " " + period);
}

}  // namespace

std::optional<unsigned> cpus_of_quota(std::string_view cpu_max) {
  const std::size_t space = cpu_max.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto quota = number(cpu_max.substr(0, space));
  const auto period = number(cpu_max.substr(space + 1));
  if (!quota || !period) return std::nullopt;
  return static_cast<unsigned>(std::min<std::int64_t>((*quota + *period - 1) / *period, 4096));
}

unsigned usable_cpus() {
  const unsigned allowed = affinity();
  return std::min({quota().value_or(allowed), allowed, kMostUnasked});
}

}  // namespace holdfast
