// What the processor and the operating system let this process use.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>

namespace sardonyx::core {

// Processors in the affinity mask (which the cpuset narrows); at least 1.
int affinity_cpu_count() noexcept;

// CPU quota of the cgroup in CPUs (1.5 is one and a half), the least over the group and its ancestors; none if unlimited or unknown.
// `root` is where the operating system's tree is looked up ("/" outside tests).
std::optional<double> cgroup_cpu_quota(const std::filesystem::path& root = "/");

// Bytes of the data caches of a processor: the second level, which a core has for itself, and the last, which cores may share; typical
// sizes where the system does not tell.
struct CacheSizes {
  size_t second_level = 0;
  size_t last_level = 0;
};
CacheSizes cache_sizes() noexcept;

}  // namespace sardonyx::core
