// Random numbers of operators: a seed gives the same numbers in every run; without one each run has new numbers.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <random>

#include "sardonyx/model.h"

namespace sardonyx::ops {

class SeedSource {
 public:
  // From the attribute `seed`: a float, or an int as Dropout has it.
  explicit SeedSource(const model::Node& node);

  // The key of a run's random numbers. May be called from several threads.
  uint64_t next() const noexcept;
  bool is_seeded() const noexcept { return !runs_; }  // next() is the seed

 private:
  uint64_t seed_;
  std::shared_ptr<std::atomic<uint64_t>> runs_;  // null: seeded by the node
};

// Numbers in [0, 1) in a row, of 53 bits each: MT19937 (Matsumoto and Nishimura, 1998) as numpy's seed() and uniform() use it, and with
// them ONNX's reference of Dropout.
class UniformSequence {
 public:
  explicit UniformSequence(uint64_t seed) : generator_(static_cast<uint32_t>(seed)) {}
  double next() noexcept {
    const uint32_t high = static_cast<uint32_t>(generator_()) >> 5, low = static_cast<uint32_t>(generator_()) >> 6;
    return (high * 0x1p26 + low) * 0x1p-53;
  }

 private:
  std::mt19937 generator_;
};

// A number in [0, 1) for each element, by its number.
double uniform_at(uint64_t key, size_t element) noexcept;

}  // namespace sardonyx::ops
