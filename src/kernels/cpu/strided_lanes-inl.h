// Reads of every second, third... float into contiguous lanes. Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_STRIDED_LANES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_STRIDED_LANES_INL_H_
#undef SARDONYX_KERNELS_CPU_STRIDED_LANES_INL_H_
#else
#define SARDONYX_KERNELS_CPU_STRIDED_LANES_INL_H_
#endif

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// from[0], from[stride], ... in the first `count` (1 to kLanes) lanes. Memory is readable up to `end`.
HWY_INLINE FloatVec load_strided(const float* from, size_t stride, size_t count, const float* end) {
  const FloatTag d;
  if (stride == 1) return load_n(d, from, count);
  if (stride == 2 && static_cast<size_t>(end - from) >= 2 * kLanes) {
    FloatVec even, odd;
    hn::LoadInterleaved2(d, from, even, odd);
    return even;
  }
  HWY_ALIGN float lanes[kLanes] = {};
  for (size_t i = 0; i < count; ++i) lanes[i] = from[i * stride];
  return hn::Load(d, lanes);
}

// to[i] = from[i * stride], i < count.
HWY_INLINE void copy_strided_lanes(const float* from, size_t stride, size_t count, const float* end, float* to) {
  const FloatTag d;
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) hn::StoreU(load_strided(from + i * stride, stride, kLanes, end), d, to + i);
  if (i < count) store_n(d, load_strided(from + i * stride, stride, count - i, end), to + i, count - i);
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
