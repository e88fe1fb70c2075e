// For tests of kernels (SessionOptions::guard_memory): whether a step keeps to its own memory and writes all that is read.
//
// Each region of the workspace is filled with bytes that are NaNs to every float type when its life begins and when it ends, and ends with
// a zone that must stay as it is while the region lives. Results are made the same way. Costs time and memory; off outside tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sardonyx/tensor.h"

namespace sardonyx::runtime {

class MemoryGuard {
 public:
  // Bytes that a region of so many takes together with its zone.
  static size_t with_zone(size_t bytes) noexcept;

  // Memory of a value or of scratch, alive from step `first` to step `last`.
  void add(size_t offset, size_t bytes, int32_t first, int32_t last, std::string what);
  void before_step(std::byte* arena, int32_t step) const noexcept;
  // Throws Internal, telling the region whose zone was written.
  void after_step(std::byte* arena, int32_t step) const;

 private:
  struct Region {
    size_t offset, bytes;
    int32_t first, last;
    std::string what;
  };
  std::vector<Region> regions_;
};

// The tensors of one run's results, each with a zone behind it.
class GuardedResults {
 public:
  Tensor make(const Shape& shape, DType dtype);
  // Throws Internal if a zone was written; forgets the tensors.
  void check();

 private:
  struct Entry {
    Tensor block;
    size_t bytes;
  };
  std::vector<Entry> entries_;
};

}  // namespace sardonyx::runtime
