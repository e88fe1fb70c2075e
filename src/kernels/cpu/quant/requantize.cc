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

// (sum + bias) * scale of `count` sums from `at` on.
HWY_INLINE FloatVec scaled_sums(const Requantizer& by, const int32_t* sums, size_t at, size_t count) {
  auto sum = load_n(hn::ScalableTag<int32_t>(), sums + at, count);
  if (by.bias) sum = hn::Add(sum, lanes_at(by.bias, by.bias_step, at, count));
  return hn::Mul(hn::ConvertTo(FloatTag(), sum), lanes_at(by.scale, by.scale_step, at, count));
}

template <class T>
HWY_INLINE void requantize_run(const Requantizer& to, const int32_t* sums, size_t count, T* y) {
  for (size_t i = 0; i < count; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, count - i);
    const auto rounded = round_to_even(scaled_sums(to, sums, i, lanes));
    store_bytes(hn::Add(rounded, lanes_at(to.zero, to.zero_step, i, lanes)), lanes, y + i);
  }
}

template <class T>
HWY_INLINE void quantize_run(const float* x, size_t count, float scale, int32_t zero, T* y) {
  const FloatTag d;
  const auto divisor = hn::Set(d, scale);
  const auto offset = hn::Set(hn::ScalableTag<int32_t>(), zero);
  for (size_t i = 0; i < count; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, count - i);
    store_bytes(hn::Add(round_to_even(hn::Div(load_n(d, x + i, lanes), divisor)), offset), lanes, y + i);
  }
}

template <class T>
HWY_INLINE void round_run(const float* x, size_t count, float scale, float zero, T* y) {
  const FloatTag d;
  const auto factor = hn::Set(d, scale), offset = hn::Set(d, zero);
  for (size_t i = 0; i < count; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, count - i);
    store_bytes(round_to_even(hn::Add(hn::Mul(load_n(d, x + i, lanes), factor), offset)), lanes, y + i);
  }
}

template <class T>
HWY_INLINE void dequantize_run(const T* x, size_t count, float scale, int32_t zero, float* y) {
  const FloatTag d;
  const auto factor = hn::Set(d, scale);
  const auto offset = hn::Set(hn::ScalableTag<int32_t>(), zero);
  for (size_t i = 0; i < count; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, count - i);
    store_n(d, hn::Mul(hn::ConvertTo(d, hn::Sub(load_bytes(x + i, lanes), offset)), factor), y + i, lanes);
  }
}

void scale_run(const Requantizer& by, const int32_t* sums, size_t count, const float* addend, float* y) {
  const FloatTag d;
  for (size_t i = 0; i < count; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, count - i);
    auto scaled = scaled_sums(by, sums, i, lanes);
    if (addend) scaled = hn::Add(scaled, load_n(d, addend + i, lanes));
    store_n(d, scaled, y + i, lanes);
  }
}

void quantize_unsigned(const float* x, size_t count, float scale, int32_t zero, uint8_t* y) { quantize_run(x, count, scale, zero, y); }
void quantize_signed(const float* x, size_t count, float scale, int32_t zero, int8_t* y) { quantize_run(x, count, scale, zero, y); }
void dequantize_unsigned(const uint8_t* x, size_t count, float scale, int32_t zero, float* y) { dequantize_run(x, count, scale, zero, y); }
void dequantize_signed(const int8_t* x, size_t count, float scale, int32_t zero, float* y) { dequantize_run(x, count, scale, zero, y); }
void round_unsigned(const float* x, size_t count, float scale, float zero, uint8_t* y) { round_run(x, count, scale, zero, y); }
void round_signed(const float* x, size_t count, float scale, float zero, int8_t* y) { round_run(x, count, scale, zero, y); }
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
HWY_EXPORT(scale_run);
HWY_EXPORT(quantize_unsigned);
HWY_EXPORT(quantize_signed);
HWY_EXPORT(dequantize_unsigned);
HWY_EXPORT(dequantize_signed);
HWY_EXPORT(round_unsigned);
HWY_EXPORT(round_signed);

void requantize(const Requantizer& to, const int32_t* sums, size_t count, uint8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(requantize_unsigned)(to, sums, count, y);
}
void requantize(const Requantizer& to, const int32_t* sums, size_t count, int8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(requantize_signed)(to, sums, count, y);
}

void scale_sums(const Requantizer& by, const int32_t* sums, size_t count, const float* addend, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(scale_run)(by, sums, count, addend, y);
}
void quantize_floats(const float* x, size_t count, float scale, int32_t zero, uint8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(quantize_unsigned)(x, count, scale, zero, y);
}
void quantize_floats(const float* x, size_t count, float scale, int32_t zero, int8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(quantize_signed)(x, count, scale, zero, y);
}
void dequantize_bytes(const uint8_t* x, size_t count, float scale, int32_t zero, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(dequantize_unsigned)(x, count, scale, zero, y);
}
void dequantize_bytes(const int8_t* x, size_t count, float scale, int32_t zero, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(dequantize_signed)(x, count, scale, zero, y);
}
void round_floats(const float* x, size_t count, float scale, float zero, uint8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(round_unsigned)(x, count, scale, zero, y);
}
void round_floats(const float* x, size_t count, float scale, float zero, int8_t* y) noexcept {
  HWY_DYNAMIC_DISPATCH(round_signed)(x, count, scale, zero, y);
}

}  // namespace sardonyx::kernels
#endif
