#include "kernels/cpu/conv/depthwise.h"

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/depthwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/flat_window-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// Sums taps times weights on top of the bias.
struct WeightedSum {
  FloatVec start() const { return hn::Set(FloatTag(), bias); }
  FloatVec step(FloatVec sum, FloatVec x, size_t tap) const { return hn::MulAdd(x, hn::Set(FloatTag(), weights[tap]), sum); }
  FloatVec finish(FloatVec sum, const SlidePosition& position) const {
    const FloatTag d;
    if (residual) sum = hn::Add(sum, load_n(d, residual + position.out, position.count));
    return clamp(d, sum, hn::Set(d, activation.lower), hn::Set(d, activation.upper));
  }

  const float* weights;
  float bias;
  const float* residual;  // of the whole plane
  Activation activation;
};

// Outputs of one output channel.
void convolve_lines(const FlatWindow& flat, const Window& window, const float* x, const float* w, float bias, const float* residual,
                    const Activation& activation, const LineRange& range, float* y) {
  slide_lines(flat, window, x, range, 0.0f, WeightedSum{w, bias, residual, activation}, y);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(convolve_lines);

const char* depthwise_refuses(const ConvShape& shape) noexcept {
  if (shape.groups != shape.in_channels) return "a group has more than one input channel";
  if (shape.groups == 1 && shape.out_channels > 1) return "one group: the product reuses the input for all output channels";
  return nullptr;
}

bool depthwise_allows_bands(const ConvShape& shape) noexcept {
  if (shape.window.rank != 2) return false;
  // Taps in the padding are zeros in the flat layout and left out by lines: all bands must take the same way.
  Window line = shape.window.with_three_dims();
  const bool exists = FlatWindow(line).exists();
  line.out[1] = 1;
  return exists == FlatWindow(line).exists();
}

void depthwise_run(const ConvShape& shape, const float* x, const float* w, const ConvEpilogue& epilogue, float* y,
                   core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  const FlatWindow flat(window);
  const size_t multiplier = shape.out_channels / shape.groups;
  const LineTasks tasks(window, shape.batch * shape.out_channels);
  const auto run_task = [&](size_t i) {
    const size_t plane = tasks.plane(i);
    const size_t image = plane / shape.out_channels;
    const size_t channel = plane % shape.out_channels;
    float* out = y + plane * shape.y_plane();
    HWY_DYNAMIC_DISPATCH(convolve_lines)
    (flat, window, x + (image * shape.in_channels + channel / multiplier) * shape.x_plane(), w + channel * window.kernel_size(),
     epilogue.bias ? epilogue.bias[channel] : 0.0f, epilogue.residual ? epilogue.residual + plane * shape.residual_plane() : nullptr,
     epilogue.activation, tasks.range(i), out);
  };
  pool.for_ranges(tasks.count(), tasks.count_at_once(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) run_task(i);
    if (!epilogue.activation.function) return;
    const auto first_place = [&](size_t task) {
      const LineRange range = tasks.range(task);
      return tasks.plane(task) * shape.y_plane() + range.first_line * window.out[2] + range.first_column;
    };
    const auto last_place = [&](size_t task) {
      const LineRange range = tasks.range(task);
      return tasks.plane(task) * shape.y_plane() + (range.last_line - 1) * window.out[2] + range.last_column;
    };
    const auto apply = [&](size_t first, size_t last) {
      unary_line(*epilogue.activation.function, epilogue.activation.params, y + first, last - first);
    };
    if (shape.y_plane() == window.out_size()) {  // the results of tasks follow each other
      apply(first_place(begin), last_place(end - 1));
    } else {
      for (size_t i = begin; i < end; ++i) apply(first_place(i), last_place(i));
    }
  });
}

}  // namespace sardonyx::kernels
#endif
