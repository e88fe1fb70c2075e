#include "sardonyx/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "core/parallel.h"

namespace sardonyx {

uint64_t resident_memory() noexcept {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0, resident = 0;
  if (!(statm >> total >> resident)) return 0;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

uint64_t peak_resident_memory() noexcept {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<uint64_t>(usage.ru_maxrss) * 1024 : 0;
}

namespace {
uint64_t number_in(const char* path) {
  std::ifstream file(path);
  uint64_t value = 0;
  return file >> value ? value : 0;  // "max" is no number: no limit
}

// What the container's memory limit leaves; UINT64_MAX without a limit.
uint64_t container_headroom() {
  constexpr const char* kFiles[][2] = {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"},
                                       {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"}};
  for (const auto& [limit_file, usage_file] : kFiles) {
    const uint64_t limit = number_in(limit_file);
    if (limit > 0) return limit - std::min(limit, number_in(usage_file));
  }
  return UINT64_MAX;
}
}  // namespace

uint64_t available_memory() noexcept {
  std::ifstream meminfo("/proc/meminfo");
  std::string key, unit;
  for (uint64_t kib = 0; meminfo >> key >> kib;) {
    if (key == "MemAvailable:") return std::min(kib * 1024, container_headroom());
    std::getline(meminfo, unit);
  }
  return 0;
}

int available_threads() { return core::default_thread_count(); }

}  // namespace sardonyx
