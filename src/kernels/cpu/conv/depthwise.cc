#include "kernels/cpu/conv/depthwise.h"

#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/depthwise.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/conv/flat_window-inl.h"
#include "kernels/cpu/simd-inl.h"
#include "kernels/cpu/slide-inl.h"

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

// Output lines [first_line, last_line) of one output channel.
void convolve_lines(const Window& window, const float* x, const float* w, float bias, const float* residual, const Activation& activation,
                    size_t first_line, size_t last_line, float* y) {
  const WeightedSum sum = {w, bias, residual, activation};
  for (size_t line = first_line; line < last_line; ++line) slide_line(window, x, line, sum, y);
}

// The sums of a tile, with the residual and the activation, to their places in the plane.
void store_flat_tile(const FlatWindow& flat, const Window& window, const FlatTile& tile, const float* sums, const float* residual,
                     const Activation& activation, float* y) {
  const FloatTag d;
  const FloatVec lower = hn::Set(d, activation.lower), upper = hn::Set(d, activation.upper);
  for (size_t line = 0; line < tile.lines; ++line, sums += flat.pitch()) {
    const size_t out = (tile.line + line) * window.out[2] + tile.column;
    for (size_t i = 0; i < tile.columns; i += kLanes) {
      const size_t count = HWY_MIN(kLanes, tile.columns - i);
      FloatVec sum = hn::LoadU(d, sums + i);
      if (residual) sum = hn::Add(sum, load_n(d, residual + out + i, count));
      store_n(d, clamp(d, sum, lower, upper), y + out + i, count);
    }
  }
}

// As convolve_lines, tile by tile in the layout `flat`.
void convolve_tiles(const FlatWindow& flat, const Window& window, const float* x, const float* w, float bias, const float* residual,
                    const Activation& activation, size_t first_line, size_t last_line, float* y) {
  HWY_ALIGN float planes[FlatWindow::kInputFloats + kLanes];
  HWY_ALIGN float sums[FlatWindow::kInputFloats + kLanes];
  FlatTile tile;
  for (tile.line = first_line; tile.line < last_line; tile.line += tile.lines) {
    tile.lines = HWY_MIN(flat.lines(), last_line - tile.line);
    for (tile.column = 0; tile.column < window.out[2]; tile.column += tile.columns) {
      tile.columns = HWY_MIN(flat.columns(), window.out[2] - tile.column);
      fill_flat_tile(flat, window, x, tile, planes);
      sum_flat(flat, planes, w, bias, (tile.lines - 1) * flat.pitch() + tile.columns, sums);
      store_flat_tile(flat, window, tile, sums, residual, activation, y);
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(convolve_lines);
HWY_EXPORT(convolve_tiles);

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
    const float* in = x + (image * shape.in_channels + channel / multiplier) * shape.x_plane();
    const float* weights = w + channel * window.kernel_size();
    const float bias = epilogue.bias ? epilogue.bias[channel] : 0.0f;
    const float* residual = epilogue.residual ? epilogue.residual + plane * shape.residual_plane() : nullptr;
    float* out = y + plane * shape.y_plane();
    if (flat.exists()) {
      HWY_DYNAMIC_DISPATCH(convolve_tiles)
      (flat, window, in, weights, bias, residual, epilogue.activation, tasks.first_line(i), tasks.last_line(i), out);
    } else {
      HWY_DYNAMIC_DISPATCH(convolve_lines)
      (window, in, weights, bias, residual, epilogue.activation, tasks.first_line(i), tasks.last_line(i), out);
    }
    if (!epilogue.activation.function) return;
    unary_line(*epilogue.activation.function, epilogue.activation.params, out + tasks.first_line(i) * window.out[2],
               (tasks.last_line(i) - tasks.first_line(i)) * window.out[2]);
  };
  pool.for_ranges(tasks.count(), tasks.count_at_once(), [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) run_task(i);
  });
}

}  // namespace sardonyx::kernels
#endif
