#include "memory_watch.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace holdfast {
namespace {

constexpr std::chrono::milliseconds kLookEvery{100};
// While overloaded: giving memory back walks every free list of the allocator.
constexpr std::chrono::milliseconds kReleaseEvery{500};

std::string first_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

std::uint64_t page() {
  static const auto size = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  return size;
}

}  // namespace

MemoryWatch::MemoryWatch(net::Worker& control, pipeline::EventLog& log, std::uint64_t limit,
                         std::function<std::uint64_t()> resident, std::function<void()> release)
    : log_(log),
      limit_(limit),
      resident_(std::move(resident)),
      release_(std::move(release)),
      look_(control.wheel(), *this) {}

void MemoryWatch::start() {
  on_deadline(0);
}

void MemoryWatch::on_deadline(int /*which*/) {
  const bool before = overloaded_.load(std::memory_order_relaxed);
  if (before) release_();
  const std::uint64_t resident = resident_();
  const bool now = before ? resident > limit_ / 8 * 7 : resident >= limit_ / 10 * 9;
  if (now != before) {
    overloaded_.store(now, std::memory_order_relaxed);
    log_.event(now ? pipeline::Level::kError : pipeline::Level::kInfo,
               now ? "overloaded" : "no_longer_overloaded",
               {{"memory_bytes", std::to_string(resident)}, {"limit_bytes", std::to_string(limit_)}});
  }
  look_.arm(now ? kReleaseEvery : kLookEvery);
}

std::optional<std::uint64_t> memory_of_cgroup(std::string_view line) {
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), bytes);
  if (error != std::errc() || end != line.data() + line.size() || bytes == 0) return std::nullopt;
  return bytes;
}

std::uint64_t memory_limit(std::optional<std::uint64_t> wanted) {
  std::uint64_t limit = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) * page();
  if (wanted) limit = std::min(limit, *wanted);
  const auto lower_to = [&limit](const std::filesystem::path& file) {
    if (const auto bytes = memory_of_cgroup(first_line(file))) limit = std::min(limit, *bytes);
  };
  const std::filesystem::path root = "/sys/fs/cgroup";
  lower_to(root / "memory/memory.limit_in_bytes");
  // cgroup v2: "0::/system.slice/holdfast.service", and every group around it has its say.
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::/")) continue;
    std::filesystem::path at = root;
    lower_to(at / "memory.max");
    for (const auto& part : std::filesystem::path(line.substr(4))) {
      at /= part;
      lower_to(at / "memory.max");
    }
  }
  return limit;
}

std::uint64_t resident_memory() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t whole = 0;
  std::uint64_t resident = 0;
  in >> whole >> resident;
  return resident * page();
}

void release_memory() {
  ::malloc_trim(0);
}

}  // namespace holdfast
