#include "core/cpu_info.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "core/parallel.h"

namespace sardonyx::core {

int affinity_cpu_count() noexcept {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) return std::max(1, CPU_COUNT(&mask));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

CacheSizes cache_sizes() noexcept {
  const auto told = [](int name) { return static_cast<size_t>(std::max(sysconf(name), 0L)); };
  CacheSizes sizes{told(_SC_LEVEL2_CACHE_SIZE), std::max(told(_SC_LEVEL3_CACHE_SIZE), told(_SC_LEVEL4_CACHE_SIZE))};
  if (sizes.second_level == 0) sizes.second_level = size_t{1} << 20;
  sizes.last_level = std::max(sizes.last_level, sizes.second_level);
  return sizes;
}

namespace {
namespace fs = std::filesystem;

// "max 100000" or "150000 100000" (cgroup v2), or a quota and a period in files of their own (v1).
std::optional<double> ratio(const std::string& quota, const std::string& period) {
  if (quota.empty() || quota == "max" || period.empty()) return std::nullopt;
  const double allowed = std::strtod(quota.c_str(), nullptr);
  const double of = std::strtod(period.c_str(), nullptr);
  if (!(allowed > 0) || !(of > 0)) return std::nullopt;
  return allowed / of;
}

std::optional<double> quota_of_group(const fs::path& group) {
  std::string quota, period;
  if (std::ifstream v2(group / "cpu.max"); v2 >> quota >> period) return ratio(quota, period);
  std::ifstream v1_quota(group / "cpu.cfs_quota_us");
  std::ifstream v1_period(group / "cpu.cfs_period_us");
  if (v1_quota >> quota && v1_period >> period) return ratio(quota, period);
  return std::nullopt;
}

// The least quota from `group` up to `mount`.
std::optional<double> least_quota(const fs::path& mount, const std::string& group) {
  std::optional<double> least;
  fs::path path = mount / fs::path(group).relative_path();
  for (int levels = 0; levels < 64; ++levels) {
    const std::optional<double> quota = quota_of_group(path);
    if (quota && (!least || *quota < *least)) least = quota;
    if (path == mount || !path.has_relative_path() || path == path.parent_path()) break;
    path = path.parent_path();
  }
  return least;
}

bool lists_cpu(const std::string& controllers) {
  const std::string padded = "," + controllers + ",";
  return padded.find(",cpu,") != std::string::npos;
}
}  // namespace

std::optional<double> cgroup_cpu_quota(const fs::path& root) {
  // Lines of the form id:controllers:path; the unified hierarchy (v2) has no controllers.
  std::ifstream groups(root / "proc/self/cgroup");
  std::optional<double> least;
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    std::optional<double> quota;
    if (controllers.empty()) quota = least_quota(root / "sys/fs/cgroup", group == "/" ? "" : group);
    if (lists_cpu(controllers)) {
      quota = least_quota(root / "sys/fs/cgroup/cpu", group == "/" ? "" : group);
      // Inside a container the group's own files stand at the mount itself.
      if (!quota) quota = quota_of_group(root / "sys/fs/cgroup/cpu");
    }
    if (!quota && controllers.empty()) quota = quota_of_group(root / "sys/fs/cgroup");
    if (quota && (!least || *quota < *least)) least = quota;
  }
  return least;
}

int default_thread_count() {
  int threads = affinity_cpu_count();
  if (const std::optional<double> quota = cgroup_cpu_quota()) threads = std::min(threads, static_cast<int>(std::ceil(*quota)));
  return std::max(1, threads);
}

}  // namespace sardonyx::core
