// How many workers `workers: auto` means. Start-up only; any thread.
#pragma once

#include <optional>
#include <string_view>

namespace holdfast {

// CPUs that a cgroup v2 `cpu.max` ("200000 100000", "max 100000") grants, rounded up; nothing: no limit.
[[nodiscard]] std::optional<unsigned> cpus_of_quota(std::string_view cpu_max);

// The cgroup's quota rounded up, else the affinity; at most 8 unasked, at least 1.
[[nodiscard]] unsigned usable_cpus();

}  // namespace holdfast
