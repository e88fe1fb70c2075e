#include "kernels/cpu/quant/requantize.h"

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quant/requantize.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/quant/round-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// One value for each lane, or one for all.
template <class T>
HWY_INLINE hn::Vec<hn::ScalableTag<T>> lanes_at(const T* values, size_t step, size_t at, size_t count) {
  const hn::ScalableTag<T> d;
  return step == 0 ? hn::Set(d, values[0]) : load_n(d, values + at, count);
}

template <class T>
HWY_INLINE void requantize_run(const Requantizer& to, const int32_t* sums, size_t count, T* y) {
  const hn::ScalableTag<int32_t> d;
  const FloatTag df;
  for (size_t i = 0; i < count; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, count - i);
    auto sum = load_n(d, sums + i, lanes);
    if (to.bias) sum = hn::Add(sum, lanes_at(to.bias, to.bias_step, i, lanes));
    const auto scaled = hn::Mul(hn::ConvertTo(df, sum), lanes_at(to.scale, to.scale_step, i, lanes));
    store_bytes(hn::Add(round_to_even(scaled), lanes_at(to.zero, to.zero_step, i, lanes)), lanes, y + i);
  }
}

void requantize_unsigned(const Requantizer& to, const int32_t* sums, size_t count, uint8_t* y) { requantize_run(to, sums, count, y); }
void requantize_signed(const Requantizer& to, const int32_t* sums, size_t count, int8_t* y) { requantize_run(to, sums, count, y); }

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(requantize_unsigned);
HWY_EXPORT(requantize_signed);

void requantize(const Requantizer& to, const int32_t* sums, size_t count, uint8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(requantize_unsigned)(to, sums, count, y);
}
void requantize(const Requantizer& to, const int32_t* sums, size_t count, int8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(requantize_signed)(to, sums, count, y);
}

}  // namespace sardonyx::kernels
#endif
