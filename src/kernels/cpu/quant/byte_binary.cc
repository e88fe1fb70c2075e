#include "kernels/cpu/quant/byte_binary.h"

#include "kernels/cpu/math/broadcast.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quant/byte_binary.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/quant/round-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

using NumberTag = hn::ScalableTag<int32_t>;

// Bytes minus their zero point: one after another, or one byte for all.
template <class T>
HWY_INLINE hn::Vec<NumberTag> centered(const T* from, ptrdiff_t stride, size_t at, size_t count, int32_t zero) {
  const NumberTag d;
  if (stride == 0) return hn::Set(d, from[0] - zero);
  return hn::Sub(load_bytes(from + at, count), hn::Set(d, zero));
}

template <class T>
HWY_INLINE void combine(const ByteBinary& binary, const BroadcastRun& run, const T* a, const T* b, T* y) {
  const FloatTag d;
  const auto a_scale = hn::Set(d, binary.a_scale), b_scale = hn::Set(d, binary.b_scale), y_zero = hn::Set(d, binary.y_zero);
  for (size_t i = 0; i < run.size; i += kLanes) {
    const size_t lanes = HWY_MIN(kLanes, run.size - i);
    const auto left = centered(a, run.a_stride, i, lanes, binary.a_zero), right = centered(b, run.b_stride, i, lanes, binary.b_zero);
    FloatVec result;
    if (binary.op == ByteOp::kAdd) {
      result = hn::Add(hn::Mul(hn::ConvertTo(d, left), a_scale), hn::Mul(hn::ConvertTo(d, right), b_scale));
    } else {
      result = hn::Mul(hn::ConvertTo(d, hn::Mul(left, right)), a_scale);
    }
    store_bytes(round_to_even(hn::Add(result, y_zero)), lanes, y + i);
  }
}

void combine_unsigned(const ByteBinary& binary, const BroadcastRun& run, const uint8_t* a, const uint8_t* b, uint8_t* y) {
  combine(binary, run, a, b, y);
}
void combine_signed(const ByteBinary& binary, const BroadcastRun& run, const int8_t* a, const int8_t* b, int8_t* y) {
  combine(binary, run, a, b, y);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(combine_unsigned);
HWY_EXPORT(combine_signed);

void byte_binary(const ByteBinary& binary, const BroadcastShape& shape, const uint8_t* a, const uint8_t* b, uint8_t* y,
                 core::ThreadPool& pool) noexcept {
  for_runs(shape, pool, [&](const BroadcastRun& run) {
    HWY_DYNAMIC_DISPATCH(combine_unsigned)(binary, run, a + run.a, b + run.b, y + run.y);
  });
}
void byte_binary(const ByteBinary& binary, const BroadcastShape& shape, const int8_t* a, const int8_t* b, int8_t* y,
                 core::ThreadPool& pool) noexcept {
  for_runs(shape, pool, [&](const BroadcastRun& run) {
    HWY_DYNAMIC_DISPATCH(combine_signed)(binary, run, a + run.a, b + run.b, y + run.y);
  });
}

}  // namespace sardonyx::kernels
#endif
