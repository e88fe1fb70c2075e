// One block of memory that intermediate values share, and the planner that gives each its offset.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sardonyx::core {

inline constexpr size_t kAlignment = 64;
inline constexpr size_t align_up(size_t bytes, size_t alignment = kAlignment) noexcept {
  return (bytes + alignment - 1) / alignment * alignment;
}

// An aligned, uninitialised block. Grows only by replacement: contents are lost.
class Arena {
 public:
  Arena() = default;
  explicit Arena(size_t bytes) { reserve(bytes); }
  ~Arena();
  Arena(Arena&& other) noexcept;
  Arena& operator=(Arena&& other) noexcept;

  void reserve(size_t bytes);  // throws ResourceLimit if the memory cannot be had
  std::byte* data() noexcept { return data_; }
  size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// A value that needs `bytes` from step `first` to step `last`, both included.
struct Lifetime {
  size_t bytes = 0;
  int32_t first = 0;
  int32_t last = 0;
};

struct Placement {
  std::vector<size_t> offsets;  // one per lifetime, aligned to kAlignment
  size_t peak = 0;              // bytes of the arena
  size_t lower_bound = 0;       // greatest sum of bytes alive at one step
};

// Offsets such that lifetimes that overlap in time do not overlap in memory: greedy by size, best fit. Deterministic.
Placement place(std::span<const Lifetime> lifetimes);

}  // namespace sardonyx::core
