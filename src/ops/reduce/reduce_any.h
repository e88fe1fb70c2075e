// Reductions of any element type over any set of axes, one result after another, in double or in 64-bit integers.
#pragma once

#include "ops/movement/strided.h"
#include "ops/reduce/reduce.h"

namespace sardonyx::ops {

struct ReduceViews {
  StridedView kept;     // of x, over the dimensions that stay
  StridedView reduced;  // of x, over the others
};
ReduceViews reduce_views(const Shape& x, const std::vector<bool>& reduced);

void reduce_any(ReduceKind kind, const ReduceViews& views, const Tensor& x, Tensor& y, core::ThreadPool& pool);

}  // namespace sardonyx::ops
