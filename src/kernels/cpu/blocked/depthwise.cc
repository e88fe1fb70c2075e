#include <array>
#include <utility>

#include "kernels/cpu/blocked/tile.h"
#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/blocked/depthwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kMostPixels = 8;

// Some neighbouring pixels of a line, whose taps in the given ranges all lie inside the input.
struct Span {
  const float* x;        // tap (0, 0) of the first pixel: perhaps outside the image
  const float* weights;  // of all taps
  Range down, across;    // taps
  ptrdiff_t step_down, step_across, step_pixel;
  size_t kernel_across;
  const float* bias;
  const float* residual;  // as y, or null
  float* y;
  float lower, upper;
};

template <size_t... kPixel>
HWY_INLINE void compute_span(std::index_sequence<kPixel...>, const Span& s) {
  const FloatTag d;
  const FloatVec bias = hn::LoadU(d, s.bias);
  FloatVec sums[] = {((void)kPixel, bias)...};
  if (s.residual) ((sums[kPixel] = hn::Add(bias, hn::LoadU(d, s.residual + kPixel * kLanes))), ...);
  for (size_t h = s.down.begin; h < s.down.end; ++h) {
    const float* x = s.x + static_cast<ptrdiff_t>(h) * s.step_down + static_cast<ptrdiff_t>(s.across.begin) * s.step_across;
    const float* w = s.weights + (h * s.kernel_across + s.across.begin) * kLanes;
    for (size_t v = s.across.begin; v < s.across.end; ++v, x += s.step_across, w += kLanes) {
      const FloatVec weight = hn::LoadU(d, w);
      ((sums[kPixel] = hn::MulAdd(hn::LoadU(d, x + static_cast<ptrdiff_t>(kPixel) * s.step_pixel), weight, sums[kPixel])), ...);
    }
  }
  const FloatVec lower = hn::Set(d, s.lower), upper = hn::Set(d, s.upper);
  (hn::StoreU(clamp(d, sums[kPixel], lower, upper), d, s.y + kPixel * kLanes), ...);
}

template <size_t kPixels>
void run_span(const Span& span) {
  compute_span(std::make_index_sequence<kPixels>(), span);
}
template <size_t... kIndex>
constexpr std::array<void (*)(const Span&), kMostPixels> spans(std::index_sequence<kIndex...>) {
  return {run_span<kIndex + 1>...};
}
constexpr auto kSpans = spans(std::make_index_sequence<kMostPixels>());  // by pixels, less one

struct Line {
  const DepthwiseTask& task;
  size_t out;
  Range down;

  // Pixels [first, last), which have the same taps inside the input.
  void run(size_t first, size_t last, Range across) const {
    const Window& w = *task.window;
    const ptrdiff_t row = static_cast<ptrdiff_t>(w.in[1] * kLanes), lanes = static_cast<ptrdiff_t>(kLanes);
    Span span{.x = nullptr,
              .weights = task.weights,
              .down = down,
              .across = across,
              .step_down = static_cast<ptrdiff_t>(w.dilation[0]) * row,
              .step_across = static_cast<ptrdiff_t>(w.dilation[1]) * lanes,
              .step_pixel = static_cast<ptrdiff_t>(w.stride[1]) * lanes,
              .kernel_across = w.kernel[1],
              .bias = task.bias,
              .residual = nullptr,
              .y = nullptr,
              .lower = task.activation->lower,
              .upper = task.activation->upper};
    const Split parts = Split::at_most(last - first, kMostPixels);
    for (size_t i = 0; i < parts.parts; ++i) {
      const size_t pixel = first + parts.begin(i);
      const size_t place = (out * w.out[1] + pixel) * kLanes;
      span.x = task.x + w.origin(0, out) * row + w.origin(1, pixel) * lanes;
      span.residual = task.residual ? task.residual + place : nullptr;
      span.y = task.y + place;
      kSpans[parts.length(i) - 1](span);
    }
  }
};

// Output pixels of a line all of whose taps lie inside the input.
Range inner_pixels(const Window& w) {
  const auto reach = static_cast<ptrdiff_t>((w.kernel[1] - 1) * w.dilation[1]);
  return steps_inside(w.origin(1, 0), w.stride[1], w.out[1], 0, static_cast<ptrdiff_t>(w.in[1]) - reach);
}

void run_lines(const DepthwiseTask& task) {
  const Window& w = *task.window;
  const Range inner = inner_pixels(w);
  for (size_t out = task.first; out < task.last; ++out) {
    const Line line = {task, out, taps_inside(w, 0, out)};
    for (size_t i = 0; i < inner.begin; ++i) line.run(i, i + 1, taps_inside(w, 1, i));
    if (inner.size() > 0) line.run(inner.begin, inner.end, {0, w.kernel[1]});
    for (size_t i = inner.end; i < w.out[1]; ++i) line.run(i, i + 1, taps_inside(w, 1, i));
  }
  if (!task.activation->function) return;
  unary_line(*task.activation->function, task.activation->params, task.y + task.first * w.out[1] * kLanes,
             (task.last - task.first) * w.out[1] * kLanes);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(run_lines);

void run_depthwise_task(const DepthwiseTask& task) noexcept { HWY_DYNAMIC_DISPATCH(run_lines)(task); }

}  // namespace sardonyx::kernels
#endif
