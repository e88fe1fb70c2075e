// A window that slides over a plane, tile by tile in the layout of FlatWindow: as slide_line, for the same Ops. Compiled once per SIMD
// target.
#if defined(SARDONYX_KERNELS_CPU_FLAT_WINDOW_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_FLAT_WINDOW_INL_H_
#undef SARDONYX_KERNELS_CPU_FLAT_WINDOW_INL_H_
#else
#define SARDONYX_KERNELS_CPU_FLAT_WINDOW_INL_H_
#endif

#include <utility>

#include "kernels/cpu/flat_window.h"
#include "kernels/cpu/slide-inl.h"
#include "kernels/cpu/strided_lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// Outputs of one plane: lines [line, line + lines), columns [column, column + columns).
struct FlatTile {
  size_t line, lines;
  size_t column, columns;
};

// `padding` from `from` to at least `to`, less than a vector further.
HWY_INLINE void pad_lanes(float padding, float* from, const float* to) {
  for (; from < to; from += kLanes) hn::StoreU(hn::Set(FloatTag(), padding), FloatTag(), from);
}

// One row of one phase: `count` inputs, every stride-th from column `first` of `row` (null: all padding) on. May write a vector too far.
HWY_INLINE void fill_flat_row(const Window& window, const float* row, const float* end, ptrdiff_t first, size_t count, float padding,
                              float* to) {
  const size_t stride = window.stride[2];
  const Range inside = row ? steps_inside(first, stride, count, 0, static_cast<ptrdiff_t>(window.in[2])) : Range{0, 0};
  pad_lanes(padding, to, to + inside.begin);
  if (inside.size() > 0) {
    copy_strided_lanes(row + first + static_cast<ptrdiff_t>(inside.begin * stride), stride, inside.size(), end, to + inside.begin);
  }
  pad_lanes(padding, to + inside.end, to + count);
}

// Copies what the tile sees of the plane `x` into the planes of the layout. A plane's last row is followed by a vector of padding.
HWY_INLINE void fill_flat_tile(const FlatWindow& flat, const Window& window, const float* x, const FlatTile& tile, float padding,
                               float* planes) {
  const float* end = x + window.in_size();
  const size_t rows = flat.input_rows(tile.lines);
  for (size_t phase = 0; phase < window.stride[1] * window.stride[2]; ++phase) {
    float* to = planes + phase * flat.plane_floats();
    const ptrdiff_t first_row = window.origin(1, tile.line) + static_cast<ptrdiff_t>(phase / window.stride[2]);
    const ptrdiff_t first_column = window.origin(2, tile.column) + static_cast<ptrdiff_t>(phase % window.stride[2]);
    for (size_t i = 0; i < rows; ++i, to += flat.pitch()) {
      const ptrdiff_t row = first_row + static_cast<ptrdiff_t>(i * window.stride[1]);
      const bool is_inside = row >= 0 && row < static_cast<ptrdiff_t>(window.in[1]);
      fill_flat_row(window, is_inside ? x + row * static_cast<ptrdiff_t>(window.in[2]) : nullptr, end, first_column, flat.pitch(), padding,
                    to);
    }
    pad_lanes(padding, to, to + kLanes);
  }
}

// One vector of the layout for each kVector, before op.finish.
template <class Op, size_t... kVector>
HWY_INLINE void slide_flat_vectors(std::index_sequence<kVector...>, const FlatWindow& flat, const float* HWY_RESTRICT planes, const Op& op,
                                   float* HWY_RESTRICT sums) {
  const FloatTag d;
  FloatVec sum[] = {((void)kVector, op.start())...};
  for (size_t tap = 0; tap < flat.taps(); ++tap) {
    const float* from = planes + flat.distances()[tap];
    ((sum[kVector] = op.step(sum[kVector], hn::LoadU(d, from + kVector * kLanes), tap)), ...);
  }
  (hn::StoreU(sum[kVector], d, sums + kVector * kLanes), ...);
}

// `count` elements of the layout, rounded up to whole vectors.
template <class Op>
HWY_INLINE void slide_flat(const FlatWindow& flat, const float* planes, size_t count, const Op& op, float* sums) {
  size_t vectors = (count + kLanes - 1) / kLanes;
  const auto take = [&](size_t taken) {
    vectors -= taken;
    planes += taken * kLanes;
    sums += taken * kLanes;
  };
  while (vectors >= 8) {
    slide_flat_vectors(std::make_index_sequence<8>(), flat, planes, op, sums);
    take(8);
  }
  if (vectors >= 4) slide_flat_vectors(std::make_index_sequence<4>(), flat, planes, op, sums), take(4);
  if (vectors >= 2) slide_flat_vectors(std::make_index_sequence<2>(), flat, planes, op, sums), take(2);
  if (vectors >= 1) slide_flat_vectors(std::make_index_sequence<1>(), flat, planes, op, sums);
}

// What was found for a tile, finished, to its places in the plane.
template <class Op>
HWY_INLINE void store_flat_tile(const FlatWindow& flat, const Window& window, const FlatTile& tile, const float* sums, const Op& op,
                                float* y) {
  const FloatTag d;
  for (size_t line = 0; line < tile.lines; ++line, sums += flat.pitch()) {
    for (size_t i = 0; i < tile.columns; i += kLanes) {
      const size_t column = tile.column + i;
      const SlidePosition at = {(tile.line + line) * window.out[2] + column, column, HWY_MIN(kLanes, tile.columns - i), {}, {}, {}};
      store_n(d, op.finish(hn::LoadU(d, sums + i), at), y + at.out, at.count);
    }
  }
}

// Outputs of one plane. `flat` exists; `padding` is what op.step sees outside the plane.
template <class Op>
HWY_INLINE void slide_tiles(const FlatWindow& flat, const Window& window, const float* plane, const LineRange& range, float padding,
                            const Op& op, float* y) {
  HWY_ALIGN float planes[FlatWindow::kInputFloats + kLanes];
  HWY_ALIGN float sums[FlatWindow::kInputFloats + kLanes];
  FlatTile tile;
  for (tile.line = range.first_line; tile.line < range.last_line; tile.line += tile.lines) {
    tile.lines = HWY_MIN(flat.lines(), range.last_line - tile.line);
    for (tile.column = range.first_column; tile.column < range.last_column; tile.column += tile.columns) {
      tile.columns = HWY_MIN(flat.columns(), range.last_column - tile.column);
      fill_flat_tile(flat, window, plane, tile, padding, planes);
      slide_flat(flat, planes, (tile.lines - 1) * flat.pitch() + tile.columns, op, sums);
      store_flat_tile(flat, window, tile, sums, op, y);
    }
  }
}

// The same by slide_tiles where there is a layout, and by slide_line where there is none.
template <class Op>
HWY_INLINE void slide_lines(const FlatWindow& flat, const Window& window, const float* plane, const LineRange& range, float padding,
                            const Op& op, float* y) {
  if (flat.exists()) return slide_tiles(flat, window, plane, range, padding, op, y);
  for (size_t line = range.first_line; line < range.last_line; ++line) {
    slide_line(window, plane, line, {range.first_column, range.last_column}, op, y);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
