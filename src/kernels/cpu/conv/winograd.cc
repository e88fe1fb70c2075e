#include "kernels/cpu/conv/winograd.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/arena.h"
#include "kernels/cpu/gemm/block_product.h"
#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/math/unary.h"
#include "kernels/cpu/simd_targets.h"

// A transformed tile has 16 elements; each is the subject of a product of its own, (out channels x in channels) * (in channels x tiles).
// The tiles of one task are as many as a register tile has columns, so that the transformed inputs are a packed panel and the products
// register tiles.
#ifndef SARDONYX_KERNELS_CPU_CONV_WINOGRAD_TASK
#define SARDONYX_KERNELS_CPU_CONV_WINOGRAD_TASK
namespace sardonyx::kernels {
namespace {

constexpr size_t kSide = 4;                  // of a tile of inputs, and of a transformed one
constexpr size_t kElements = kSide * kSide;  // of a transformed tile
constexpr size_t kMostTiles = 64;            // of a task, on any target
constexpr size_t kSkew = 16;                 // floats between planes, lest all of them fall into the same cache sets

// Tiles that lie side by side in one row of tiles.
struct TileRun {
  size_t row, column;  // of the first one
  size_t count;
  size_t at;  // its number in the task
};

struct WinogradTask {
  WinogradTask(const ConvShape& conv, size_t tiles) : shape(conv), task_tiles(tiles) {}

  size_t rows_of_tiles() const { return divide_up(shape.window.out[0], 2); }
  size_t columns_of_tiles() const { return divide_up(shape.window.out[1], 2); }
  size_t tiles_in_image() const { return rows_of_tiles() * columns_of_tiles(); }
  size_t tasks_in_image() const { return divide_up(tiles_in_image(), task_tiles); }
  // Floats from one element's plane to the next.
  size_t input_plane() const { return shape.in_channels * task_tiles + kSkew; }
  size_t product_plane() const { return shape.out_channels * task_tiles + kSkew; }
  size_t bytes() const { return buffer_bytes(kElements * (input_plane() + product_plane())); }

  const ConvShape& shape;
  size_t task_tiles;
};

// The runs of a task.
struct TileRuns {
  TileRuns(const WinogradTask& task, size_t first) {
    const size_t across = task.columns_of_tiles(), end = std::min(first + task.task_tiles, task.tiles_in_image());
    for (size_t tile = first; tile < end;) {
      const size_t column = tile % across, length = std::min(across - column, end - tile);
      runs[count++] = {tile / across, column, length, tile - first};
      tile += length;
    }
    tiles = end - first;
  }
  std::array<TileRun, kMostTiles> runs;
  size_t count = 0, tiles = 0;
};

}  // namespace
}  // namespace sardonyx::kernels
#endif

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/conv/winograd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/gemm/epilogue-inl.h"
#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

constexpr size_t kLineInputs = 2 * kLanes + 2;  // under a vector of tiles
constexpr size_t kLinePitch = 3 * kLanes + 2;   // whole vectors are read

struct FourVectors {
  FloatVec v[kSide];
};

// The input transform along one dimension.
HWY_INLINE FourVectors transform_four(FloatVec a, FloatVec b, FloatVec c, FloatVec e) {
  return {{hn::Sub(a, c), hn::Add(b, c), hn::Sub(c, b), hn::Sub(b, e)}};
}

// Four lines of inputs under a vector of tiles, where some of them lie outside the image or past the end of what may be read.
HWY_INLINE void gather_lines(const Window& window, const float* plane, ptrdiff_t row, ptrdiff_t column, float* lines) {
  const Range inside = steps_inside(column, 1, kLineInputs, 0, static_cast<ptrdiff_t>(window.in[1]));
  for (size_t i = 0; i < kSide; ++i, lines += kLinePitch) {
    const ptrdiff_t at = row + static_cast<ptrdiff_t>(i);
    std::memset(lines, 0, kLinePitch * sizeof(float));
    if (at < 0 || at >= static_cast<ptrdiff_t>(window.in[0]) || inside.size() == 0) continue;
    const ptrdiff_t from = at * static_cast<ptrdiff_t>(window.in[1]) + column + static_cast<ptrdiff_t>(inside.begin);
    std::memcpy(lines + inside.begin, plane + from, inside.size() * sizeof(float));
  }
}

// Transforms the inputs of `count` <= kLanes tiles, four lines `pitch` apart.
HWY_INLINE void transform_input(const float* HWY_RESTRICT lines, size_t pitch, size_t count, float* HWY_RESTRICT to, size_t plane) {
  const FloatTag d;
  FourVectors across[kSide];
  for (size_t i = 0; i < kSide; ++i, lines += pitch) {
    FloatVec a, b, c, e;
    hn::LoadInterleaved2(d, lines, a, b);
    hn::LoadInterleaved2(d, lines + 2, c, e);
    across[i] = transform_four(a, b, c, e);
  }
  for (size_t j = 0; j < kSide; ++j) {
    const FourVectors down = transform_four(across[0].v[j], across[1].v[j], across[2].v[j], across[3].v[j]);
    for (size_t i = 0; i < kSide; ++i) store_n(d, down.v[i], to + (i * kSide + j) * plane, count);
  }
}

void transform_run(const WinogradTask& task, const float* x, const TileRun& run, float* to) {
  const Window& window = task.shape.window;
  const ptrdiff_t row = window.origin(0, 2 * run.row);
  const bool rows_inside = row >= 0 && row + static_cast<ptrdiff_t>(kSide) <= static_cast<ptrdiff_t>(window.in[0]);
  HWY_ALIGN float lines[kSide * kLinePitch];
  for (size_t channel = 0; channel < task.shape.in_channels; ++channel, x += task.shape.x_plane(), to += task.task_tiles) {
    for (size_t i = 0; i < run.count; i += kLanes) {
      const ptrdiff_t column = window.origin(1, 2 * (run.column + i));
      const size_t count = HWY_MIN(kLanes, run.count - i);
      float* at = to + run.at + i;
      if (rows_inside && column >= 0 && column + static_cast<ptrdiff_t>(kLineInputs) <= static_cast<ptrdiff_t>(window.in[1])) {
        transform_input(x + row * static_cast<ptrdiff_t>(window.in[1]) + column, window.in[1], count, at, task.input_plane());
      } else {
        gather_lines(window, x, row, column, lines);
        transform_input(lines, kLinePitch, count, at, task.input_plane());
      }
    }
  }
}

struct OutputLines {
  HWY_ALIGN float line[2][2 * kMostTiles];
};

// The outputs of all tiles of one channel.
HWY_INLINE void transform_output(const float* HWY_RESTRICT from, size_t plane, size_t tiles, OutputLines& out) {
  const FloatTag d;
  for (size_t i = 0; i < tiles; i += kLanes) {
    FloatVec upper[kSide], lower[kSide];
    for (size_t j = 0; j < kSide; ++j) {
      const FloatVec a = hn::LoadU(d, from + i + j * plane), b = hn::LoadU(d, from + i + (kSide + j) * plane);
      const FloatVec c = hn::LoadU(d, from + i + (2 * kSide + j) * plane), e = hn::LoadU(d, from + i + (3 * kSide + j) * plane);
      upper[j] = hn::Add(hn::Add(a, b), c);
      lower[j] = hn::Sub(hn::Sub(b, c), e);
    }
    hn::StoreInterleaved2(hn::Add(hn::Add(upper[0], upper[1]), upper[2]), hn::Sub(hn::Sub(upper[1], upper[2]), upper[3]), d,
                          out.line[0] + 2 * i);
    hn::StoreInterleaved2(hn::Add(hn::Add(lower[0], lower[1]), lower[2]), hn::Sub(hn::Sub(lower[1], lower[2]), lower[3]), d,
                          out.line[1] + 2 * i);
  }
}

// One line of outputs of a run.
HWY_INLINE void store_line(const Epilogue& epilogue, const EpilogueVectors& vectors, size_t channel, size_t at, size_t count,
                           const float* sums, float* y) {
  store_row(epilogue, vectors, Stage(), channel, at, count, sums, y);
  if (epilogue.activation.function) unary_line(*epilogue.activation.function, epilogue.activation.params, y, count);
}

void transform_outputs(const WinogradTask& task, const TileRuns& runs, const float* products, const Epilogue& epilogue, float* y) {
  const EpilogueVectors vectors(epilogue);
  const Window& window = task.shape.window;
  OutputLines out;
  for (size_t channel = 0; channel < task.shape.out_channels; ++channel, y += task.shape.y_plane(), products += task.task_tiles) {
    transform_output(products, task.product_plane(), runs.tiles, out);
    for (size_t r = 0; r < runs.count; ++r) {
      const TileRun& run = runs.runs[r];
      const size_t count = HWY_MIN(2 * run.count, window.out[1] - 2 * run.column);
      for (size_t line = 0; line < 2 && 2 * run.row + line < window.out[0]; ++line) {
        const size_t at = (2 * run.row + line) * window.out[1] + 2 * run.column;
        store_line(epilogue, vectors, channel, at, count, out.line[line] + 2 * run.at, y + at);
      }
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(transform_run);
HWY_EXPORT(transform_outputs);

namespace {

constexpr size_t kMostChannels = 512;  // in: a task's transformed inputs stay in the second-level cache

Epilogue epilogue_of_image(const ConvShape& shape, const ConvEpilogue& epilogue, size_t image) {
  Epilogue result;
  result.activation = epilogue.activation;
  result.row_bias = epilogue.bias;
  if (epilogue.residual) {
    result.addend = epilogue.residual + image * shape.out_channels * shape.residual_plane();
    result.addend_row_stride = static_cast<ptrdiff_t>(shape.residual_plane());
    result.addend_column_stride = 1;
  }
  return result;
}

void run_task(const WinogradTask& task, const float* x, const float* packed, const Epilogue& epilogue, size_t first, float* y,
              float* inputs) {
  const ConvShape& shape = task.shape;
  const TileRuns runs(task, first);
  for (size_t i = 0; i < runs.count; ++i) HWY_DYNAMIC_DISPATCH(transform_run)(task, x, runs.runs[i], inputs);
  float* products = inputs + kElements * task.input_plane();
  const Split panels = row_panels(shape.out_channels, micro_tile());
  for (size_t i = 0; i < kElements; ++i) {
    multiply_to_tiles({panels, shape.in_channels, packed + i * shape.out_channels * shape.in_channels, inputs + i * task.input_plane(),
                       runs.tiles, products + i * task.product_plane()});
  }
  HWY_DYNAMIC_DISPATCH(transform_outputs)(task, runs, products, epilogue, y);
}

// The transform of three kernel elements in a line.
std::array<double, kSide> transform_three(double a, double b, double c) { return {a, (a + b + c) / 2, (a - b + c) / 2, c}; }

std::array<float, kElements> transform_kernel(const float* w) {
  float plain[9];
  std::memcpy(plain, w, sizeof(plain));  // which need not be aligned
  std::array<std::array<double, kSide>, 3> across;
  for (size_t i = 0; i < 3; ++i) across[i] = transform_three(plain[3 * i], plain[3 * i + 1], plain[3 * i + 2]);
  std::array<float, kElements> result;
  for (size_t j = 0; j < kSide; ++j) {
    const std::array<double, kSide> down = transform_three(across[0][j], across[1][j], across[2][j]);
    for (size_t i = 0; i < kSide; ++i) result[i * kSide + j] = static_cast<float>(down[i]);
  }
  return result;
}

}  // namespace

const char* winograd_refuses(const ConvShape& shape) noexcept {
  const Window& w = shape.window;
  if (w.rank != 2 || w.kernel[0] != 3 || w.kernel[1] != 3) return "the kernel is not 3 x 3";
  if (w.stride[0] != 1 || w.stride[1] != 1) return "the stride is not 1";
  if (w.dilation[0] != 1 || w.dilation[1] != 1) return "it is dilated";
  if (shape.groups != 1) return "it has groups";
  const size_t in = shape.in_channels, out = shape.out_channels;
  // Each channel costs a transform, each pair of channels saves products.
  if (2 * in * out < 15 * (in + out)) return "it has too few channels for what the transforms cost";
  if (in > kMostChannels) return "it has more than 512 input channels";
  return nullptr;
}

size_t winograd_packed_weight_floats(const ConvShape& shape) noexcept { return kElements * shape.in_channels * shape.out_channels; }

void winograd_pack_weights(const ConvShape& shape, const float* w, float* packed, core::ThreadPool* pool) noexcept {
  const Split panels = row_panels(shape.out_channels, micro_tile());
  core::for_each(pool, panels.parts, [&](size_t panel) {
    const size_t begin = panels.begin(panel), rows = panels.length(panel);
    for (size_t row = 0; row < rows; ++row) {
      for (size_t channel = 0; channel < shape.in_channels; ++channel) {
        const std::array<float, kElements> kernel = transform_kernel(w + ((begin + row) * shape.in_channels + channel) * 9);
        float* to = packed + begin * shape.in_channels + channel * rows + row;
        for (size_t i = 0; i < kElements; ++i) to[i * shape.out_channels * shape.in_channels] = kernel[i];
      }
    }
  });
}

size_t winograd_scratch_bytes(const ConvShape& shape, int threads) noexcept {
  return static_cast<size_t>(threads) * WinogradTask(shape, micro_tile().columns).bytes();
}

void winograd_run(const ConvShape& shape, const float* x, const float* packed_weights, const ConvEpilogue& epilogue, float* y,
                  void* scratch, core::ThreadPool& pool) noexcept {
  const WinogradTask task(shape, micro_tile().columns);
  const size_t tasks = task.tasks_in_image();
  pool.for_each_with_thread(shape.batch * tasks, [&](size_t number, size_t thread) {
    const size_t image = number / tasks;
    run_task(task, x + image * shape.in_channels * shape.x_plane(), packed_weights, epilogue_of_image(shape, epilogue, image),
             number % tasks * task.task_tiles, y + image * shape.out_channels * shape.y_plane(),
             reinterpret_cast<float*>(static_cast<std::byte*>(scratch) + thread * task.bytes()));
  });
}

}  // namespace sardonyx::kernels
#endif
