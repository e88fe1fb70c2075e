// Random numbers of operators: a seed gives the same numbers in every run; without one each run has new numbers.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "sardonyx/model.h"

namespace sardonyx::ops {

class SeedSource {
 public:
  // From the attribute `seed`: a float, or an int as Dropout has it.
  explicit SeedSource(const model::Node& node);

  // The key of a run's random numbers. May be called from several threads.
  uint64_t next() const noexcept;

 private:
  uint64_t seed_;
  std::shared_ptr<std::atomic<uint64_t>> runs_;  // null: seeded by the node
};

// A number in [0, 1) for each element, by its number.
double uniform_at(uint64_t key, size_t element) noexcept;

}  // namespace sardonyx::ops
