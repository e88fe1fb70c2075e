// Weighted sums under a window, computed in the layout of FlatWindow. Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_CONV_FLAT_WINDOW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_CONV_FLAT_WINDOW_INL_H_
#undef SARDONYX_KERNELS_CPU_CONV_FLAT_WINDOW_INL_H_
#else
#define SARDONYX_KERNELS_CPU_CONV_FLAT_WINDOW_INL_H_
#endif

#include "kernels/cpu/conv/flat_window.h"
#include "kernels/cpu/strided_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// Outputs of one plane: lines [line, line + lines), columns [column, column + columns).
struct FlatTile {
  size_t line, lines;
  size_t column, columns;
};

// Zeros from `from` to at least `to`, at most a vector further.
HWY_INLINE void zero_lanes(float* from, const float* to) {
  for (; from < to; from += kLanes) hn::StoreU(hn::Zero(FloatTag()), FloatTag(), from);
}

// One row of one phase: `count` inputs, every stride-th from column `first` of `row` (null: all padding) on. May write a vector too far.
HWY_INLINE void fill_flat_row(const Window& window, const float* row, const float* end, ptrdiff_t first, size_t count, float* to) {
  const size_t stride = window.stride[2];
  const Range inside = row ? steps_inside(first, stride, count, 0, static_cast<ptrdiff_t>(window.in[2])) : Range{0, 0};
  zero_lanes(to, to + inside.begin);
  if (inside.size() > 0) {
    copy_strided_lanes(row + first + static_cast<ptrdiff_t>(inside.begin * stride), stride, inside.size(), end, to + inside.begin);
  }
  zero_lanes(to + inside.end, to + count);
}

// Copies what the tile sees of the plane `x` into the planes of the layout. What follows a plane's last row is zero for a vector.
HWY_INLINE void fill_flat_tile(const FlatWindow& flat, const Window& window, const float* x, const FlatTile& tile, float* planes) {
  const float* end = x + window.in_size();
  const size_t rows = flat.input_rows(tile.lines);
  for (size_t phase = 0; phase < window.stride[1] * window.stride[2]; ++phase) {
    float* to = planes + phase * flat.plane_floats();
    const ptrdiff_t first_row = window.origin(1, tile.line) + static_cast<ptrdiff_t>(phase / window.stride[2]);
    const ptrdiff_t first_column = window.origin(2, tile.column) + static_cast<ptrdiff_t>(phase % window.stride[2]);
    for (size_t i = 0; i < rows; ++i, to += flat.pitch()) {
      const ptrdiff_t row = first_row + static_cast<ptrdiff_t>(i * window.stride[1]);
      const bool is_inside = row >= 0 && row < static_cast<ptrdiff_t>(window.in[1]);
      fill_flat_row(window, is_inside ? x + row * static_cast<ptrdiff_t>(window.in[2]) : nullptr, end, first_column, flat.pitch(), to);
    }
    hn::StoreU(hn::Zero(FloatTag()), FloatTag(), to);
  }
}

// kVectors vectors of outputs: sums of all taps on top of `start`.
template <size_t kVectors>
HWY_INLINE void sum_flat_vectors(const FlatWindow& flat, const float* HWY_RESTRICT planes, const float* HWY_RESTRICT weights, float start,
                                 float* HWY_RESTRICT sums) {
  const FloatTag d;
  FloatVec sum[kVectors];
  for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::Set(d, start);
  const uint32_t* distances = flat.distances();
  for (size_t tap = 0; tap < flat.taps(); ++tap) {
    const FloatVec weight = hn::Set(d, weights[tap]);
    const float* from = planes + distances[tap];
    for (size_t v = 0; v < kVectors; ++v) sum[v] = hn::MulAdd(hn::LoadU(d, from + v * kLanes), weight, sum[v]);
  }
  for (size_t v = 0; v < kVectors; ++v) hn::StoreU(sum[v], d, sums + v * kLanes);
}

// `count` outputs, rounded up to whole vectors.
HWY_INLINE void sum_flat(const FlatWindow& flat, const float* planes, const float* weights, float start, size_t count, float* sums) {
  size_t vectors = (count + kLanes - 1) / kLanes;
  const auto take = [&](size_t taken) {
    vectors -= taken;
    planes += taken * kLanes;
    sums += taken * kLanes;
  };
  for (; vectors >= 8; take(8)) sum_flat_vectors<8>(flat, planes, weights, start, sums);
  if (vectors >= 4) sum_flat_vectors<4>(flat, planes, weights, start, sums), take(4);
  if (vectors >= 2) sum_flat_vectors<2>(flat, planes, weights, start, sums), take(2);
  if (vectors >= 1) sum_flat_vectors<1>(flat, planes, weights, start, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
