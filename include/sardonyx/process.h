// What this process uses and may use of the machine.
#pragma once

#include <cstdint>

namespace sardonyx {

// Bytes; 0 where the system does not tell.
uint64_t resident_memory() noexcept;       // now
uint64_t peak_resident_memory() noexcept;  // since the start
uint64_t available_memory() noexcept;      // that new allocations may take without swapping; the least of the system and the container

// The greatest number of threads of use: CPU affinity, cpuset and container quota considered; at least 1.
int available_threads();

}  // namespace sardonyx
