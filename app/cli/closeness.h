// How close a computed tensor is to an expected one.
#pragma once

#include <cstdint>
#include <string>

#include "sardonyx/tensor.h"

namespace sardonyx::cli {

struct Tolerance {
  double rtol, atol;
};

struct Closeness {
  bool close = false;
  std::string difference;  // why not, where types or shapes differ
  int64_t elements = 0, mismatches = 0;
  double max_abs_error = 0, max_rel_error = 0;
  double tolerance_share = 0;  // the greatest error, as a part of what is tolerated there; 0 where nothing is
  int64_t worst = 0;           // index of the greatest absolute error
  std::string worst_actual, worst_expected;

  // One line.
  std::string describe() const;
};

// Numbers are close if |a - b| <= atol + rtol |b|, NaN to NaN, infinities to themselves; all else must be equal. Types and shapes must be
// the same. Of sequences and maps that are close, elements and errors are those of all items; of others, those of the first item that is
// not. Empty optionals are undefined tensors, equal to each other alone.
Closeness compare_tensors(const Tensor& actual, const Tensor& expected, const Tolerance& tolerance);

// For outputs that are drawn at random: close if types and shapes are the same and every number lies between the least and the greatest
// expected one.
Closeness compare_ranges(const Tensor& actual, const Tensor& expected);

}  // namespace sardonyx::cli
