#include "kernels/cpu/norm/batch_norm.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/norm/batch_norm.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

void scale_shift_line(const float* x, size_t size, float scale, float shift, float* y) {
  const FloatTag d;
  const FloatVec a = hn::Set(d, scale);
  const FloatVec b = hn::Set(d, shift);
  for (size_t i = 0; i < size; i += kLanes) {
    const size_t count = HWY_MIN(kLanes, size - i);
    store_n(d, hn::MulAdd(load_n(d, x + i, count), a, b), y + i, count);
  }
}

// One value in each channel: scale and shift run along with x.
void scale_shift_channels(const float* x, size_t channels, const float* scale, const float* shift, float* y) {
  const FloatTag d;
  for (size_t i = 0; i < channels; i += kLanes) {
    const size_t count = HWY_MIN(kLanes, channels - i);
    store_n(d, hn::MulAdd(load_n(d, x + i, count), load_n(d, scale + i, count), load_n(d, shift + i, count)), y + i, count);
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(scale_shift_line);
HWY_EXPORT(scale_shift_channels);

namespace {

template <class T>
void fold(size_t channels, const BatchNormVectors& of, double epsilon, T* scale, T* shift) noexcept {
  for (size_t c = 0; c < channels; ++c) {
    const double factor = of.gamma[c] / std::sqrt(of.variance[c] + epsilon);
    scale[c] = static_cast<T>(factor);
    shift[c] = static_cast<T>(of.beta[c] - of.mean[c] * factor);
  }
}

}  // namespace

void fold_batch_norm(size_t channels, const BatchNormVectors& of, double epsilon, float* scale, float* shift) noexcept {
  fold(channels, of, epsilon, scale, shift);
}
void fold_batch_norm(size_t channels, const BatchNormVectors& of, double epsilon, double* scale, double* shift) noexcept {
  fold(channels, of, epsilon, scale, shift);
}

void scale_shift(size_t batch, size_t channels, size_t inner, const float* x, const float* scale, const float* shift, float* y,
                 core::ThreadPool& pool) noexcept {
  constexpr size_t kValuesPerTask = 1 << 14;
  if (inner == 1) {
    return pool.for_ranges(batch, kValuesPerTask / std::max<size_t>(channels, 1), [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        HWY_DYNAMIC_DISPATCH(scale_shift_channels)(x + i * channels, channels, scale, shift, y + i * channels);
      }
    });
  }
  pool.for_ranges(batch * channels, kValuesPerTask / std::max<size_t>(inner, 1), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      HWY_DYNAMIC_DISPATCH(scale_shift_line)(x + i * inner, inner, scale[i % channels], shift[i % channels], y + i * inner);
    }
  });
}

}  // namespace sardonyx::kernels
#endif
