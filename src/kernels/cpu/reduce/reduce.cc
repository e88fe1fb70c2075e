#include "kernels/cpu/reduce/reduce.h"

#include <algorithm>

#include "core/interrupt.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/reduce/reduce.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/reduce/line-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// `count` neighbouring columns of (axis, inner), folded down. Partial results of kGroup rows are joined at once: rounding errors of long
// sums grow with the number of groups, not of rows.
template <class Fold>
HWY_INLINE FloatVec fold_columns(const Fold& fold, const float* x, size_t axis, size_t inner, size_t count) {
  constexpr size_t kGroup = 128, kRowsBetweenChecks = 64 * kGroup;
  const FloatTag d;
  FloatVec result = hn::Set(d, Fold::kStart);
  for (size_t begin = 0; begin < axis; begin += kGroup) {
    if (begin > 0 && begin % kRowsBetweenChecks == 0 && core::interrupted()) return result;
    FloatVec group = hn::Set(d, Fold::kStart);
    for (size_t i = begin; i < HWY_MIN(begin + kGroup, axis); ++i) group = fold.join(group, fold.map(load_n(d, x + i * inner, count)));
    result = fold.join(result, group);
  }
  return result;
}

template <class Fold>
HWY_INLINE void fold_slab(const Fold& fold, const float* x, size_t axis, size_t inner, size_t first, size_t last, float divisor, float* y) {
  const FloatTag d;
  if (inner == 1) {
    y[0] = fold_line(fold, x, axis) / divisor;
    return;
  }
  for (size_t i = first; i < last; i += kLanes) {
    const size_t count = HWY_MIN(kLanes, last - i);
    store_n(d, hn::Div(fold_columns(fold, x + i, axis, inner, count), hn::Set(d, divisor)), y + i, count);
  }
}

// Columns [first, last) of one (axis, inner) slab.
void reduce_slab(ReduceOp op, const float* x, size_t axis, size_t inner, size_t first, size_t last, float* y) {
  const auto with = [&](auto fold, float divisor) HWY_ATTR { fold_slab(fold, x, axis, inner, first, last, divisor, y); };
  switch (op) {
    case ReduceOp::kSum:
      return with(SumFold(), 1.0f);
    case ReduceOp::kMean:
      return with(SumFold(), static_cast<float>(axis));
    case ReduceOp::kMax:
      return with(MaxFold(), 1.0f);
    case ReduceOp::kMin:
      return with(MinFold(), 1.0f);
    case ReduceOp::kProd:
      return with(ProdFold(), 1.0f);
    case ReduceOp::kSumSquare:
      return with(SumSquareFold(), 1.0f);
    case ReduceOp::kSumAbs:
      return with(SumAbsFold(), 1.0f);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(reduce_slab);

void reduce(ReduceOp op, size_t outer, size_t axis, size_t inner, const float* x, float* y, core::ThreadPool& pool) noexcept {
  constexpr size_t kValuesPerTask = 1 << 15;
  constexpr size_t kColumnsPerPart = 256;
  if (outer == 0 || inner == 0) return;
  const size_t parts = (inner + kColumnsPerPart - 1) / kColumnsPerPart;
  const size_t part_values = std::max<size_t>(std::min(inner, kColumnsPerPart) * axis, 1);
  pool.for_ranges(outer * parts, kValuesPerTask / part_values, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t slab = i / parts;
      const size_t first = i % parts * kColumnsPerPart;
      HWY_DYNAMIC_DISPATCH(reduce_slab)
      (op, x + slab * axis * inner, axis, inner, first, std::min(first + kColumnsPerPart, inner), y + slab * inner);
    }
  });
}

}  // namespace sardonyx::kernels
#endif
