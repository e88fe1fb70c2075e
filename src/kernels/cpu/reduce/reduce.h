// Reductions of one axis of a contiguous (outer, axis, inner) float tensor to (outer, inner).
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/parallel.h"

namespace sardonyx::kernels {

enum class ReduceOp : uint8_t { kSum, kMean, kMax, kMin, kProd, kSumSquare, kSumAbs };

// An empty axis gives 0 (sums), 1 (Prod), -infinity (Max), infinity (Min), NaN (Mean). NaN wins in Max and Min.
// The order of the sum is fixed by the shape and the SIMD target. Neighbouring reduced axes are merged by the caller.
void reduce(ReduceOp op, size_t outer, size_t axis, size_t inner, const float* x, float* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
