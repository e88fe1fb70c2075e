// What every SIMD body shares: partial loads and stores, and vectors of one width for the whole engine. Compiled once per target.
#if defined(SARDONYX_KERNELS_CPU_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_SIMD_INL_H_
#undef SARDONYX_KERNELS_CPU_SIMD_INL_H_
#else
#define SARDONYX_KERNELS_CPU_SIMD_INL_H_
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVec = hn::Vec<FloatTag>;
inline constexpr size_t kLanes = HWY_LANES(float);

// Targets that load and store under a mask without touching the other lanes' memory (for lanes of 4 and 8 bytes).
inline constexpr bool kMaskedMemory = HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL;

// The first `count` (<= Lanes(d)) elements at `from`, the other lanes 0. Reads no further.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::Vec<D> load_n(D d, const T* from, size_t count) {
  if (count == hn::Lanes(d)) return hn::LoadU(d, from);
  if constexpr (kMaskedMemory && sizeof(T) >= 4) {
    return hn::MaskedLoad(hn::FirstN(d, count), d, from);
  } else {
    HWY_ALIGN T lanes[hn::MaxLanes(D())] = {};
    std::memcpy(lanes, from, count * sizeof(T));
    return hn::Load(d, lanes);
  }
}

// Stores the first `count` (<= Lanes(d)) lanes. Writes no further.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE void store_n(D d, hn::Vec<D> v, T* to, size_t count) {
  if (count == hn::Lanes(d)) return hn::StoreU(v, d, to);
  if constexpr (kMaskedMemory && sizeof(T) >= 4) {
    hn::BlendedStore(v, hn::FirstN(d, count), d, to);
  } else {
    HWY_ALIGN T lanes[hn::MaxLanes(D())];
    hn::Store(v, d, lanes);
    std::memcpy(to, lanes, count * sizeof(T));
  }
}

// min(max(x, lower), upper) that lets NaN through on every target.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V clamp(D, V x, V lower, V upper) {
  x = hn::IfThenElse(hn::Lt(x, lower), lower, x);
  return hn::IfThenElse(hn::Gt(x, upper), upper, x);
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
