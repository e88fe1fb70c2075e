// Folds of contiguous lines of floats, shared by reductions and global pooling. Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_REDUCE_LINE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_REDUCE_LINE_INL_H_
#undef SARDONYX_KERNELS_CPU_REDUCE_LINE_INL_H_
#else
#define SARDONYX_KERNELS_CPU_REDUCE_LINE_INL_H_
#endif

#include <limits>

#include "core/interrupt.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

template <class V>
HWY_INLINE V max_or_nan(V a, V b) {
  return hn::IfThenElse(hn::Or(hn::Gt(b, a), hn::IsNaN(b)), b, a);
}
template <class V>
HWY_INLINE V min_or_nan(V a, V b) {
  return hn::IfThenElse(hn::Or(hn::Lt(b, a), hn::IsNaN(b)), b, a);
}

// A fold: kStart changes nothing as an input; map() prepares an input; join() combines two partial results.
struct SumFold {
  static constexpr float kStart = 0.0f;
  template <class V>
  HWY_INLINE V map(V x) const {
    return x;
  }
  template <class V>
  HWY_INLINE V join(V a, V b) const {
    return hn::Add(a, b);
  }
};
struct SumSquareFold : SumFold {
  template <class V>
  HWY_INLINE V map(V x) const {
    return hn::Mul(x, x);
  }
};
struct SumAbsFold : SumFold {
  template <class V>
  HWY_INLINE V map(V x) const {
    return hn::Abs(x);
  }
};
struct ProdFold : SumFold {
  static constexpr float kStart = 1.0f;
  template <class V>
  HWY_INLINE V join(V a, V b) const {
    return hn::Mul(a, b);
  }
};
struct MaxFold : SumFold {
  static constexpr float kStart = -std::numeric_limits<float>::infinity();
  template <class V>
  HWY_INLINE V join(V a, V b) const {
    return max_or_nan(a, b);
  }
};
struct MinFold : SumFold {
  static constexpr float kStart = std::numeric_limits<float>::infinity();
  template <class V>
  HWY_INLINE V join(V a, V b) const {
    return min_or_nan(a, b);
  }
};

constexpr size_t kValuesBetweenChecks = size_t{1} << 16;  // of one line; a multiple of four vectors

// One value from all lanes, which are joined in halves.
template <class Fold, class D>
HWY_INLINE float fold_lanes(const Fold& fold, D d, hn::Vec<D> v) {
#if HWY_TARGET != HWY_SCALAR
  constexpr size_t lanes = hn::MaxLanes(D());
  if constexpr (lanes > 4) {
    const hn::Half<D> half;
    return fold_lanes(fold, half, fold.join(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    if constexpr (lanes == 4) v = fold.join(v, hn::Reverse4(d, v));
    if constexpr (lanes >= 2) v = fold.join(v, hn::Reverse2(d, v));
  }
#else
  (void)fold, (void)d;
#endif
  return hn::GetLane(v);
}

// One value from `size` contiguous ones, in four chains that hide the latency and keep rounding errors of long sums apart.
template <class Fold>
HWY_INLINE float fold_line(const Fold& fold, const float* x, size_t size) {
  const FloatTag d;
  const FloatVec start = hn::Set(d, Fold::kStart);
  FloatVec r0 = start, r1 = start, r2 = start, r3 = start;
  size_t i = 0;
  while (i + 4 * kLanes <= size) {
    const size_t end = HWY_MIN(size, i + kValuesBetweenChecks);
    for (; i + 4 * kLanes <= end; i += 4 * kLanes) {
      r0 = fold.join(r0, fold.map(hn::LoadU(d, x + i)));
      r1 = fold.join(r1, fold.map(hn::LoadU(d, x + i + kLanes)));
      r2 = fold.join(r2, fold.map(hn::LoadU(d, x + i + 2 * kLanes)));
      r3 = fold.join(r3, fold.map(hn::LoadU(d, x + i + 3 * kLanes)));
    }
    if (end < size && core::interrupted()) return 0;
  }
  for (; i < size; i += kLanes) {
    const size_t count = HWY_MIN(kLanes, size - i);
    const FloatVec value = hn::IfThenElse(hn::FirstN(d, count), load_n(d, x + i, count), start);
    r0 = fold.join(r0, fold.map(value));
  }
  return fold_lanes(fold, FloatTag(), fold.join(fold.join(r0, r1), fold.join(r2, r3)));
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
