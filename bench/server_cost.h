// What a server process has cost so far, as the kernel counts it: CPU time of all its threads in nanoseconds
// and its resident memory. Read from /proc, so it works on any server, ours or a peer's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace holdfast::bench {

// Sum of schedstat over every thread of every process named. Throws where a process is gone.
[[nodiscard]] std::uint64_t cpu_nanoseconds(const std::vector<int>& pids);
[[nodiscard]] std::uint64_t resident_bytes(const std::vector<int>& pids);

}  // namespace holdfast::bench
