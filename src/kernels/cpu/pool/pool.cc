#include "kernels/cpu/pool/pool.h"

#include <limits>

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/pool/pool.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/flat_window-inl.h"
#include "kernels/cpu/reduce/line-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr float kLeast = -std::numeric_limits<float>::infinity();

struct Greatest {
  FloatVec start() const { return hn::Set(FloatTag(), kLeast); }
  FloatVec step(FloatVec greatest, FloatVec x, size_t) const { return max_or_nan(greatest, x); }
  FloatVec finish(FloatVec greatest, const SlidePosition&) const { return greatest; }
};

struct Mean {
  FloatVec start() const { return hn::Zero(FloatTag()); }
  FloatVec step(FloatVec sum, FloatVec x, size_t) const { return hn::Add(sum, x); }
  FloatVec finish(FloatVec sum, const SlidePosition& at) const {
    size_t taps = at.taps();
    if (padded)
      taps = padded_taps(window, *padded, 0, out_d) * padded_taps(window, *padded, 1, out_h) * padded_taps(window, *padded, 2, at.column);
    return hn::Div(sum, hn::Set(FloatTag(), static_cast<float>(taps)));
  }

  const Window& window;
  const Extents* padded;  // pad_end, or nullptr where padding does not count
  size_t out_d, out_h;
};

void max_lines(const FlatWindow& flat, const Window& window, const float* x, const LineRange& range, float* y) {
  slide_lines(flat, window, x, range, kLeast, Greatest(), y);
}

void mean_lines(const Window& window, const Extents* padded, const float* x, const LineRange& range, float* y) {
  for (size_t line = range.first_line; line < range.last_line; ++line) {
    slide_line(window, x, line, {range.first_column, range.last_column}, Mean{window, padded, line / window.out[1], line % window.out[1]},
               y);
  }
}

void mean_planes(size_t first, size_t last, size_t size, const float* x, float* y) {
  for (size_t i = first; i < last; ++i) y[i] = fold_line(SumFold(), x + i * size, size) / static_cast<float>(size);
}

void max_planes(size_t first, size_t last, size_t size, const float* x, float* y) {
  for (size_t i = first; i < last; ++i) y[i] = fold_line(MaxFold(), x + i * size, size);
}

void adaptive_mean_lines(const Window& window, const float* x, const LineRange& range, float* y) {
  for (size_t line = range.first_line; line < range.last_line; ++line) {
    const Range d = adaptive_cell(window, 0, line / window.out[1]);
    const Range h = adaptive_cell(window, 1, line % window.out[1]);
    for (size_t column = range.first_column; column < range.last_column; ++column) {
      const Range w = adaptive_cell(window, 2, column);
      float sum = 0.0f;
      for (size_t i = d.begin; i < d.end; ++i) {
        for (size_t j = h.begin; j < h.end; ++j) sum += fold_line(SumFold(), x + (i * window.in[1] + j) * window.in[2] + w.begin, w.size());
      }
      y[line * window.out[2] + column] = sum / static_cast<float>(d.size() * h.size() * w.size());
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(max_lines);
HWY_EXPORT(mean_lines);
HWY_EXPORT(mean_planes);
HWY_EXPORT(max_planes);
HWY_EXPORT(adaptive_mean_lines);

namespace {

constexpr size_t kValuesPerTask = 1 << 15;

// Calls lines(plane of x, range, plane of y) for all lines of all planes. `window` is the shape's with three dimensions.
template <class Lines>
void for_lines(const Window& window, const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool, const Lines& lines) {
  const LineTasks tasks(window, shape.planes);
  const size_t x_plane = shape.distances.x != 0 ? shape.distances.x : window.in_size();
  const size_t y_plane = shape.distances.y != 0 ? shape.distances.y : window.out_size();
  pool.for_ranges(tasks.count(), tasks.count_at_once(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t plane = tasks.plane(i);
      lines(x + plane * x_plane, tasks.range(i), y + plane * y_plane);
    }
  });
}

}  // namespace

void max_pool(const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  const FlatWindow flat(window);
  for_lines(window, shape, x, y, pool, [&](const float* in, const LineRange& range, float* out) {
    HWY_DYNAMIC_DISPATCH(max_lines)(flat, window, in, range, out);
  });
}

void average_pool(const PoolShape& shape, bool count_include_pad, const float* x, float* y, core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  const Extents pad_end = pad_end_with_three_dims(shape);
  for_lines(window, shape, x, y, pool, [&](const float* in, const LineRange& range, float* out) {
    HWY_DYNAMIC_DISPATCH(mean_lines)(window, count_include_pad ? &pad_end : nullptr, in, range, out);
  });
}

void adaptive_average_pool(const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  for_lines(window, shape, x, y, pool, [&](const float* in, const LineRange& range, float* out) {
    HWY_DYNAMIC_DISPATCH(adaptive_mean_lines)(window, in, range, out);
  });
}

void global_average_pool(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool) noexcept {
  pool.for_ranges(planes, kValuesPerTask / std::max<size_t>(size, 1), [&](size_t first, size_t last) {
    HWY_DYNAMIC_DISPATCH(mean_planes)(first, last, size, x, y);
  });
}

void global_max_pool(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool) noexcept {
  pool.for_ranges(planes, kValuesPerTask / std::max<size_t>(size, 1), [&](size_t first, size_t last) {
    HWY_DYNAMIC_DISPATCH(max_planes)(first, last, size, x, y);
  });
}

}  // namespace sardonyx::kernels
#endif
