#include "kernels/cpu/resample/resample.h"

#include <algorithm>

#include "core/interrupt.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kTaskCost = 1 << 15;  // products

// One output row of `inner` values from the rows of x.
template <class T>
void resample_row(const AxisTaps& taps, size_t o, size_t inner, const T* x, T* y) noexcept {
  if (!taps.outside.empty() && taps.outside[o]) {
    std::fill(y, y + inner, static_cast<T>(taps.fill));
    return;
  }
  for (size_t k = 0; k < taps.taps; ++k) {
    const T weight = static_cast<T>(taps.weights[o * taps.taps + k]);
    const T* row = x + taps.positions[o * taps.taps + k] * inner;
    if (k == 0) {
      for (size_t i = 0; i < inner; ++i) y[i] = weight * row[i];
    } else if (weight != T{0}) {
      for (size_t i = 0; i < inner; ++i) y[i] += weight * row[i];
    }
  }
}

// The last axis: one sum for each output value.
template <class T>
void resample_line(const AxisTaps& taps, const T* x, T* y) noexcept {
  core::in_pieces(taps.out, std::max<size_t>(kTaskCost / std::max<size_t>(taps.taps, 1), 1), [&](size_t begin, size_t count) {
    for (size_t o = begin; o < begin + count; ++o) resample_row(taps, o, 1, x, y + o);
  });
}

}  // namespace

template <class T>
void resample_axis(const AxisTaps& taps, size_t outer, size_t inner, const T* x, T* y, core::ThreadPool& pool) noexcept {
  if (inner == 1) {
    const size_t cost = std::max<size_t>(taps.out * taps.taps, 1);
    return pool.for_ranges(outer, kTaskCost / cost, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) resample_line(taps, x + i * taps.in, y + i * taps.out);
    });
  }
  const size_t cost = std::max<size_t>(inner * taps.taps, 1);
  pool.for_ranges(outer * taps.out, kTaskCost / cost, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t o = i % taps.out;
      resample_row(taps, o, inner, x + i / taps.out * taps.in * inner, y + i * inner);
    }
  });
}

template void resample_axis<float>(const AxisTaps&, size_t, size_t, const float*, float*, core::ThreadPool&) noexcept;
template void resample_axis<double>(const AxisTaps&, size_t, size_t, const double*, double*, core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
