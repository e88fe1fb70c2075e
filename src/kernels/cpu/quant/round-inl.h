// Rounding of floats to integers and storing them as bytes, for what quantises. Compiled once per target.
#if defined(SARDONYX_KERNELS_CPU_QUANT_ROUND_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_QUANT_ROUND_INL_H_
#undef SARDONYX_KERNELS_CPU_QUANT_ROUND_INL_H_
#else
#define SARDONYX_KERNELS_CPU_QUANT_ROUND_INL_H_
#endif

#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// To the nearest integer, ties to the even one; NaN gives 0. What lies beyond the bound stays beyond every byte, whatever zero point of a
// byte is added.
HWY_INLINE hn::Vec<hn::ScalableTag<int32_t>> round_to_even(FloatVec x) {
  const FloatTag d;
  const FloatVec bound = hn::Set(d, 1024.0f);
  x = hn::IfThenElseZero(hn::Eq(x, x), x);
  return hn::NearestInt(hn::Min(hn::Max(x, hn::Neg(bound)), bound));
}

// `count` lanes (at most a vector of them), saturated; they lie within 16 bits.
template <class T>
HWY_INLINE void store_bytes(hn::Vec<hn::ScalableTag<int32_t>> v, size_t count, T* to) {
  const hn::Rebind<T, hn::ScalableTag<int32_t>> d;
  store_n(d, hn::DemoteTo(d, v), to, count);
}

// `count` bytes as numbers, the other lanes 0.
template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<int32_t>> load_bytes(const T* from, size_t count) {
  return hn::PromoteTo(hn::ScalableTag<int32_t>(), load_n(hn::Rebind<T, hn::ScalableTag<int32_t>>(), from, count));
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
