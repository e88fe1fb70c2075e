#include "kernels/cpu/gemm/gemv.h"

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/gemm/gemv.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "core/interrupt.h"
#include "kernels/cpu/gemm/epilogue-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kStripVectors = 8;
constexpr size_t kStrip = kStripVectors * kLanes;

// Of long sums, how much is added without asking for an interrupt; the length is a multiple of four vectors.
constexpr size_t kDepthBetweenChecks = size_t{1} << 12, kLengthBetweenChecks = size_t{1} << 16;

// sums[0, count) = x * B for B with contiguous rows: a strip of columns stays in registers.
HWY_INLINE void sum_rows(size_t depth, const float* x, ptrdiff_t x_stride, const float* b, ptrdiff_t row_stride, size_t count,
                         float* sums) {
  const FloatTag d;
  FloatVec sum[kStripVectors];
  for (FloatVec& s : sum) s = hn::Zero(d);
  for (size_t k = 0; k < depth; ++k) {
    if (k > 0 && k % kDepthBetweenChecks == 0 && core::interrupted()) return;
    const FloatVec value = hn::Set(d, x[static_cast<ptrdiff_t>(k) * x_stride]);
    const float* row = b + static_cast<ptrdiff_t>(k) * row_stride;
    if (count == kStrip) {
      for (size_t v = 0; v < kStripVectors; ++v) sum[v] = hn::MulAdd(value, hn::LoadU(d, row + v * kLanes), sum[v]);
    } else {
      for (size_t v = 0; v * kLanes < count; ++v) {
        sum[v] = hn::MulAdd(value, load_n(d, row + v * kLanes, HWY_MIN(kLanes, count - v * kLanes)), sum[v]);
      }
    }
  }
  for (size_t v = 0; v < kStripVectors; ++v) hn::StoreU(sum[v], d, sums + v * kLanes);
}

// The scalar product of two contiguous vectors, in kAccumulators chains that are joined pairwise at the end.
HWY_INLINE float dot(size_t size, const float* HWY_RESTRICT x, const float* HWY_RESTRICT y) {
  const FloatTag d;
  FloatVec sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
  size_t i = 0;
  while (i + 4 * kLanes <= size) {
    const size_t end = HWY_MIN(size, i + kLengthBetweenChecks);
    for (; i + 4 * kLanes <= end; i += 4 * kLanes) {
      sum0 = hn::MulAdd(hn::LoadU(d, x + i), hn::LoadU(d, y + i), sum0);
      sum1 = hn::MulAdd(hn::LoadU(d, x + i + kLanes), hn::LoadU(d, y + i + kLanes), sum1);
      sum2 = hn::MulAdd(hn::LoadU(d, x + i + 2 * kLanes), hn::LoadU(d, y + i + 2 * kLanes), sum2);
      sum3 = hn::MulAdd(hn::LoadU(d, x + i + 3 * kLanes), hn::LoadU(d, y + i + 3 * kLanes), sum3);
    }
    if (end < size && core::interrupted()) return 0;
  }
  for (; i < size; i += kLanes) {
    const size_t count = HWY_MIN(kLanes, size - i);
    sum0 = hn::MulAdd(load_n(d, x + i, count), load_n(d, y + i, count), sum0);
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sum0, sum1), hn::Add(sum2, sum3))));
}

size_t strip_columns() { return kStrip; }

// Columns [column, column + count) of c, count <= kStrip.
void multiply_strip(size_t depth, const Matrix& a, const Matrix& b, const Epilogue& epilogue, size_t column, size_t count, float* c) {
  HWY_ALIGN float sums[kStrip];
  const float* from = b.data + static_cast<ptrdiff_t>(column) * b.column_stride;
  if (b.column_stride == 1) {
    sum_rows(depth, a.data, a.column_stride, from, b.row_stride, count, sums);
  } else {
    for (size_t i = 0; i < count; ++i) sums[i] = dot(depth, a.data, from + static_cast<ptrdiff_t>(i) * b.column_stride);
  }
  store_row(epilogue, EpilogueVectors(epilogue), Stage(), 0, column, count, sums, c + column);
  if (epilogue.activation.function) unary_line(*epilogue.activation.function, epilogue.activation.params, c + column, count);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(strip_columns);
HWY_EXPORT(multiply_strip);

const char* gemv_refuses(const GemmShape& shape, const Matrix& a, const Matrix& b) noexcept {
  if (shape.m != 1) return "more than one row";
  if (a.is_packed || b.is_packed || a.source || b.source) return "an operand is packed or made in pieces";
  if (b.column_stride != 1 && (b.row_stride != 1 || a.column_stride != 1))
    return "B has no contiguous rows, or columns to go with a contiguous A";
  return nullptr;
}

void gemv(const GemmShape& shape, const Matrix& a, const Matrix& b, const Epilogue& epilogue, float* c, core::ThreadPool& pool) noexcept {
  pool.for_ranges(shape.n, HWY_DYNAMIC_DISPATCH(strip_columns)(), [&](size_t begin, size_t end) {
    HWY_DYNAMIC_DISPATCH(multiply_strip)(shape.k, a, b, epilogue, begin, end - begin, c);
  });
}

}  // namespace sardonyx::kernels
#endif
