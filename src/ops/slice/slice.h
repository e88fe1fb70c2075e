// Slice, with starts and ends as attributes (opset 1) or inputs (from 10).
#pragma once

#include "ops/movement/strided.h"

namespace sardonyx::ops {

struct SliceRanges {
  std::vector<int64_t> starts, ends;
  std::vector<int64_t> axes;   // empty: the first ones
  std::vector<int64_t> steps;  // empty: all 1
};

// The elements of x that the ranges choose. Starts and ends count from the end where negative, and are clamped. Throws InvalidArgument.
StridedView sliced_view(const SliceRanges& ranges, const Shape& x);

}  // namespace sardonyx::ops
