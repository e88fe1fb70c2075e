// A window that slides along one output line, vectorised over output columns: the loop that depthwise convolution and pooling share.
// Compiled once per SIMD target.
#if defined(SARDONYX_KERNELS_CPU_SLIDE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef SARDONYX_KERNELS_CPU_SLIDE_INL_H_
#undef SARDONYX_KERNELS_CPU_SLIDE_INL_H_
#else
#define SARDONYX_KERNELS_CPU_SLIDE_INL_H_
#endif

#include "core/interrupt.h"
#include "kernels/cpu/line_tasks.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/strided_lanes-inl.h"
#include "kernels/cpu/window.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {

// Taps in a row of a window from which on it may take so long that it asks whether the run is to end.
constexpr size_t kLongRow = 1024;

// Some output columns of one line that see the same taps.
struct SlidePosition {
  size_t out;     // flattened index of the first output in the plane
  size_t column;  // and its column
  size_t count;   // columns, at most kLanes
  Range d, h, w;  // taps that lie inside the input
  size_t taps() const { return d.size() * h.size() * w.size(); }
};

// `plane` is one input plane, `origin_*` the input position under tap 0.
template <class Op>
HWY_INLINE FloatVec slide_columns(const Window& window, const float* plane, ptrdiff_t origin_d, ptrdiff_t origin_h, const SlidePosition& at,
                                  const Op& op) {
  const float* end = plane + window.in_size();
  const ptrdiff_t origin_w = window.origin(2, at.column);
  FloatVec sum = op.start();
  for (size_t d = at.d.begin; d < at.d.end; ++d) {
    for (size_t h = at.h.begin; h < at.h.end; ++h) {
      const ptrdiff_t in_d = origin_d + static_cast<ptrdiff_t>(d * window.dilation[0]);
      const ptrdiff_t in_h = origin_h + static_cast<ptrdiff_t>(h * window.dilation[1]);
      const float* line = plane + (in_d * static_cast<ptrdiff_t>(window.in[1]) + in_h) * static_cast<ptrdiff_t>(window.in[2]);
      if (window.kernel[2] >= kLongRow && core::interrupted()) return sum;
      for (size_t w = at.w.begin; w < at.w.end; ++w) {
        const float* from = line + origin_w + static_cast<ptrdiff_t>(w * window.dilation[2]);
        sum = op.step(sum, load_strided(from, window.stride[2], at.count, end), (d * window.kernel[1] + h) * window.kernel[2] + w);
      }
    }
  }
  return op.finish(sum, at);
}

// Output columns that see every tap of the last dimension.
HWY_INLINE Range whole_columns(const Window& window) {
  const auto reach = static_cast<ptrdiff_t>((window.kernel[2] - 1) * window.dilation[2]);
  return steps_inside(window.origin(2, 0), window.stride[2], window.out[2], 0, static_cast<ptrdiff_t>(window.in[2]) - reach);
}

// Columns of output line `line` (over the first two dimensions) of a plane. Op: start(), step(sum, x, tap), finish(sum, position).
template <class Op>
HWY_INLINE void slide_line(const Window& window, const float* plane, size_t line, Range columns, const Op& op, float* y) {
  const size_t out_d = line / window.out[1];
  const size_t out_h = line % window.out[1];
  SlidePosition at;
  at.d = taps_inside(window, 0, out_d);
  at.h = taps_inside(window, 1, out_h);
  const Range whole = whole_columns(window);
  for (at.column = columns.begin; at.column < columns.end; at.column += at.count) {
    const bool is_whole = at.column >= whole.begin && at.column < whole.end;
    at.count = is_whole ? HWY_MIN(kLanes, HWY_MIN(whole.end, columns.end) - at.column) : 1;
    at.w = is_whole ? Range{0, window.kernel[2]} : taps_inside(window, 2, at.column);
    at.out = line * window.out[2] + at.column;
    const FloatVec result = slide_columns(window, plane, window.origin(0, out_d), window.origin(1, out_h), at, op);
    store_n(FloatTag(), result, y + at.out, at.count);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#endif
