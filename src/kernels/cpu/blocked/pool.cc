#include "kernels/cpu/blocked/pool.h"

#include <limits>

#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/blocked/pool.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/reduce/line-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

struct Greatest {
  static HWY_INLINE FloatVec start() { return hn::Set(FloatTag(), -std::numeric_limits<float>::infinity()); }
  static HWY_INLINE FloatVec add(FloatVec greatest, FloatVec x) { return max_or_nan(greatest, x); }
};
struct Sum {
  static HWY_INLINE FloatVec start() { return hn::Zero(FloatTag()); }
  static HWY_INLINE FloatVec add(FloatVec sum, FloatVec x) { return hn::Add(sum, x); }
};

// The pixels under the window of one output.
template <class Fold>
HWY_INLINE FloatVec fold_window(const Window& w, const float* x, size_t out, size_t column, Range down) {
  const FloatTag d;
  const Range across = taps_inside(w, 1, column);
  FloatVec result = Fold::start();
  for (size_t h = down.begin; h < down.end; ++h) {
    const auto line = static_cast<size_t>(w.origin(0, out) + static_cast<ptrdiff_t>(h * w.dilation[0]));
    const auto first = static_cast<size_t>(w.origin(1, column) + static_cast<ptrdiff_t>(across.begin * w.dilation[1]));
    const float* from = x + (line * w.in[1] + first) * kLanes;
    for (size_t i = 0; i < across.size(); ++i, from += w.dilation[1] * kLanes) result = Fold::add(result, hn::LoadU(d, from));
  }
  return result;
}

void max_lines_of(const Window& w, const float* x, size_t first, size_t last, float* y) {
  for (size_t out = first; out < last; ++out) {
    const Range down = taps_inside(w, 0, out);
    for (size_t column = 0; column < w.out[1]; ++column) {
      hn::StoreU(fold_window<Greatest>(w, x, out, column, down), FloatTag(), y + (out * w.out[1] + column) * kLanes);
    }
  }
}

// `padded`: pad_end, or null where padding does not count.
void mean_lines_of(const Window& w, const Extents* padded, const float* x, size_t first, size_t last, float* y) {
  const FloatTag d;
  for (size_t out = first; out < last; ++out) {
    const Range down = taps_inside(w, 0, out);
    for (size_t column = 0; column < w.out[1]; ++column) {
      const size_t taps =
          padded ? padded_taps(w, *padded, 0, out) * padded_taps(w, *padded, 1, column) : down.size() * taps_inside(w, 1, column).size();
      const FloatVec sum = fold_window<Sum>(w, x, out, column, down);
      hn::StoreU(hn::Div(sum, hn::Set(d, static_cast<float>(taps))), d, y + (out * w.out[1] + column) * kLanes);
    }
  }
}

// Four sums side by side, so that no addition waits for the last one.
void mean_plane_of(size_t size, const float* x, float* y) {
  const FloatTag d;
  FloatVec s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  size_t i = 0;
  for (; i + 4 <= size; i += 4, x += 4 * kLanes) {
    s0 = hn::Add(s0, hn::LoadU(d, x));
    s1 = hn::Add(s1, hn::LoadU(d, x + kLanes));
    s2 = hn::Add(s2, hn::LoadU(d, x + 2 * kLanes));
    s3 = hn::Add(s3, hn::LoadU(d, x + 3 * kLanes));
  }
  for (; i < size; ++i, x += kLanes) s0 = hn::Add(s0, hn::LoadU(d, x));
  const FloatVec sum = hn::Add(hn::Add(s0, s1), hn::Add(s2, s3));
  hn::StoreU(hn::Div(sum, hn::Set(d, static_cast<float>(size))), d, y);
}

void scale_pixels(size_t count, const float* x, const float* factor, float* y) {
  const FloatTag d;
  const FloatVec factors = hn::LoadU(d, factor);
  for (size_t i = 0; i < count * kLanes; i += kLanes) hn::StoreU(hn::Mul(hn::LoadU(d, x + i), factors), d, y + i);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(max_lines_of);
HWY_EXPORT(mean_lines_of);
HWY_EXPORT(mean_plane_of);
HWY_EXPORT(scale_pixels);

namespace {

constexpr size_t kPixelsInTask = size_t{1} << 13;  // that are read, about

// Calls body(plane, first, last) for lines of planes.
template <class Body>
void for_lines(const PoolShape& shape, core::ThreadPool& pool, const Body& body) noexcept {
  const Window& w = shape.window;
  const size_t line_cost = std::max<size_t>(w.out[1] * w.kernel_size(), 1);
  const Split lines = Split::at_most(w.out[0], std::max<size_t>(kPixelsInTask / line_cost, 1));
  if (lines.parts == 0) return;
  const size_t at_once = std::max<size_t>(kPixelsInTask / (line_cost * lines.length(0)), 1);
  pool.for_ranges(shape.planes * lines.parts, at_once, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) body(i / lines.parts, lines.begin(i % lines.parts), lines.begin(i % lines.parts + 1));
  });
}

}  // namespace

void blocked_max_pool(const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) noexcept {
  const size_t lanes = block_lanes(), in = shape.window.in_size() * lanes, out = shape.window.out_size() * lanes;
  for_lines(shape, pool, [&](size_t plane, size_t first, size_t last) {
    HWY_DYNAMIC_DISPATCH(max_lines_of)(shape.window, x + plane * in, first, last, y + plane * out);
  });
}

void blocked_average_pool(const PoolShape& shape, bool count_include_pad, const float* x, float* y, core::ThreadPool& pool) noexcept {
  const size_t lanes = block_lanes(), in = shape.window.in_size() * lanes, out = shape.window.out_size() * lanes;
  for_lines(shape, pool, [&](size_t plane, size_t first, size_t last) {
    HWY_DYNAMIC_DISPATCH(mean_lines_of)
    (shape.window, count_include_pad ? &shape.pad_end : nullptr, x + plane * in, first, last, y + plane * out);
  });
}

void blocked_global_average_pool(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool) noexcept {
  const size_t lanes = block_lanes();
  pool.for_ranges(planes, std::max<size_t>(kPixelsInTask / size, 1), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) HWY_DYNAMIC_DISPATCH(mean_plane_of)(size, x + i * size * lanes, y + i * lanes);
  });
}

void blocked_scale(size_t planes, size_t size, const float* x, const float* factors, float* y, core::ThreadPool& pool) noexcept {
  const size_t lanes = block_lanes();
  const Split parts = Split::at_most(size, kPixelsInTask);
  const size_t at_once = std::max<size_t>(kPixelsInTask / size, 1);
  pool.for_ranges(planes * parts.parts, at_once, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t plane = i / parts.parts, part = i % parts.parts;
      const size_t place = (plane * size + parts.begin(part)) * lanes;
      HWY_DYNAMIC_DISPATCH(scale_pixels)(parts.length(part), x + place, factors + plane * lanes, y + place);
    }
  });
}

}  // namespace sardonyx::kernels
#endif
