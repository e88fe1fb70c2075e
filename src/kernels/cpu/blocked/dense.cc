#include <algorithm>
#include <array>
#include <utility>

#include "kernels/cpu/blocked/tile.h"
#include "kernels/cpu/gemm/blocking.h"
#include "kernels/cpu/simd_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/blocked/dense.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace sardonyx::kernels {
namespace HWY_NAMESPACE {
namespace {

// A tile holds pixels x blocks sums; a vector of weights for each block and one of input need registers too.
constexpr bool kManyRegisters = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON;
constexpr size_t kTileBlocks = kManyRegisters ? 4 : 2;
constexpr std::array<size_t, kMostTileBlocks> kTilePixels =
    kManyRegisters ? std::array<size_t, kMostTileBlocks>{12, 12, 8, 6} : std::array<size_t, kMostTileBlocks>{8, 6, 0, 0};
constexpr size_t kMostPixels = 12;

BlockedTile tile_of_target() {
  BlockedTile tile{.lanes = kLanes, .blocks = kTileBlocks};
  std::copy(kTilePixels.begin(), kTilePixels.end(), tile.pixels);
  return tile;
}

alignas(64) constexpr float kZeros[kLanes] = {};  // what taps in the padding read

template <size_t kPixel, size_t... kBlock>
HWY_INLINE void add_pixel(std::index_sequence<kBlock...>, FloatVec x, const FloatVec* weights, FloatVec* sums) {
  ((sums[kPixel * sizeof...(kBlock) + kBlock] = hn::MulAdd(x, weights[kBlock], sums[kPixel * sizeof...(kBlock) + kBlock])), ...);
}

// One input value of each pixel times one vector of weights for each block.
template <size_t... kPixel, size_t... kBlock>
HWY_INLINE void add_step(std::index_sequence<kPixel...>, std::index_sequence<kBlock...> blocks, const float* const* at, ptrdiff_t offset,
                         const float* HWY_RESTRICT w, FloatVec* sums) {
  const FloatTag d;
  const FloatVec weights[] = {hn::LoadU(d, w + kBlock * kLanes)...};
  (add_pixel<kPixel>(blocks, hn::Set(d, at[kPixel][offset]), weights, sums), ...);
}

// Input blocks [0, blocks) of a blocked image.
struct BlockedWalk {
  template <size_t... kPixel, class Blocks>
  HWY_INLINE void run(std::index_sequence<kPixel...> pixels, Blocks blocks, FloatVec* sums) const {
    const float* w = weights;
    for (size_t first = 0; first < channels; first += kLanes) {
      const float* block = x + first / kLanes * x_block;
      const size_t count = HWY_MIN(kLanes, channels - first);
      const ptrdiff_t* offset = offsets;
      for (size_t tap = 0; tap < taps; ++tap, offset += sizeof...(kPixel)) {
        if ((offset[kPixel] & ...) < 0) {  // all of them lie in the padding
          w += count * Blocks::size() * kLanes;
          continue;
        }
        const float* const at[] = {offset[kPixel] < 0 ? kZeros : block + offset[kPixel]...};
        for (size_t c = 0; c < count; ++c, w += Blocks::size() * kLanes) add_step(pixels, blocks, at, static_cast<ptrdiff_t>(c), w, sums);
      }
    }
  }

  const float* x;
  size_t x_block, channels, taps;
  const ptrdiff_t* offsets;
  const float* weights;
};

struct PlainWalk {
  template <size_t... kPixel, class Blocks>
  HWY_INLINE void run(std::index_sequence<kPixel...> pixels, Blocks blocks, FloatVec* sums) const {
    const float* const at[] = {x + places[kPixel]...};
    const float* w = weights;
    for (size_t i = 0; i < depth; ++i, w += Blocks::size() * kLanes) add_step(pixels, blocks, at, steps[i], w, sums);
  }

  const float* x;
  size_t depth;
  const ptrdiff_t* steps;
  const ptrdiff_t* places;
  const float* weights;
};

// Where the sums of a tile begin and where they go.
struct TileTarget {
  const float* bias;      // null: the sums go on from what y holds
  const float* residual;  // null: none
  float* y;
  size_t y_block;
  float lower, upper;
};

HWY_INLINE FloatVec start_sum(const TileTarget& t, size_t block, size_t pixel) {
  const FloatTag d;
  const size_t place = block * t.y_block + pixel * kLanes;
  if (!t.bias) return hn::LoadU(d, t.y + place);
  const FloatVec bias = hn::LoadU(d, t.bias + block * kLanes);
  return t.residual ? hn::Add(bias, hn::LoadU(d, t.residual + place)) : bias;
}

template <class Walk, size_t kBlocks, size_t... kPixel, size_t... kSum>
HWY_INLINE void compute_tile(std::index_sequence<kPixel...> pixels, std::index_sequence<kSum...>, const Walk& walk, const TileTarget& t) {
  const FloatTag d;
  FloatVec sums[] = {start_sum(t, kSum % kBlocks, kSum / kBlocks)...};
  walk.run(pixels, std::make_index_sequence<kBlocks>(), sums);
  const FloatVec lower = hn::Set(d, t.lower), upper = hn::Set(d, t.upper);
  (hn::StoreU(clamp(d, sums[kSum], lower, upper), d, t.y + kSum % kBlocks * t.y_block + kSum / kBlocks * kLanes), ...);
}

template <class Walk, size_t kBlocks, size_t kPixels>
void run_tile(const Walk& walk, const TileTarget& target) {
  compute_tile<Walk, kBlocks>(std::make_index_sequence<kPixels>(), std::make_index_sequence<kBlocks * kPixels>(), walk, target);
}

template <class Walk>
using RunTile = void (*)(const Walk& walk, const TileTarget& target);
template <class Walk, size_t kBlocks, size_t... kIndex>
constexpr std::array<RunTile<Walk>, kMostPixels> tiles_by_pixels(std::index_sequence<kIndex...>) {
  return {run_tile<Walk, kBlocks, std::min(kIndex + 1, kTilePixels[kBlocks - 1])>...};
}
template <class Walk, size_t... kIndex>
constexpr std::array<std::array<RunTile<Walk>, kMostPixels>, kTileBlocks> tiles_by_blocks(std::index_sequence<kIndex...>) {
  return {tiles_by_pixels<Walk, kIndex + 1>(std::make_index_sequence<kMostPixels>())...};
}
// By blocks and pixels, each less one.
template <class Walk>
constexpr auto kTiles = tiles_by_blocks<Walk>(std::make_index_sequence<kTileBlocks>());

TileTarget target_of(const DenseTask& task, size_t pixel, bool is_first, bool is_last) {
  using Limits = std::numeric_limits<float>;
  return {.bias = is_first ? task.bias : nullptr,
          .residual = task.residual ? task.residual + pixel * kLanes : nullptr,
          .y = task.y + pixel * kLanes,
          .y_block = task.y_block,
          .lower = is_last ? task.activation->lower : -Limits::infinity(),
          .upper = is_last ? task.activation->upper : Limits::infinity()};
}

void apply_function(const DenseTask& task) {
  if (!task.activation->function) return;
  for (size_t i = 0; i < task.blocks; ++i) {
    unary_line(*task.activation->function, task.activation->params, task.y + i * task.y_block, task.pixels * kLanes);
  }
}

void run_dense(const DenseTask& task) {
  const Split tiles = Split::at_most(task.pixels, kTilePixels[task.blocks - 1]);
  const size_t stage_channels = task.blocks_at_once * kLanes;
  for (size_t first = 0; first < task.channels; first += stage_channels) {
    const size_t channels = HWY_MIN(stage_channels, task.channels - first);
    for (size_t i = 0; i < tiles.parts; ++i) {
      const size_t pixel = tiles.begin(i);
      const BlockedWalk walk = {task.x + first / kLanes * task.x_block,
                                task.x_block,
                                channels,
                                task.taps,
                                task.offsets + pixel * task.taps,
                                task.weights + first * task.taps * task.blocks * kLanes};
      kTiles<BlockedWalk>[task.blocks - 1][tiles.length(i) - 1](walk,
                                                                target_of(task, pixel, first == 0, first + channels == task.channels));
    }
  }
  apply_function(task);
}

void run_plain(const PlainTask& task) {
  const DenseTask& common = task.common;
  const Split tiles = Split::at_most(common.pixels, kTilePixels[common.blocks - 1]);
  for (size_t i = 0; i < tiles.parts; ++i) {
    const size_t pixel = tiles.begin(i);
    const PlainWalk walk = {task.x, task.depth, task.steps, task.places + pixel, common.weights};
    kTiles<PlainWalk>[common.blocks - 1][tiles.length(i) - 1](walk, target_of(common, pixel, true, true));
  }
  apply_function(common);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace sardonyx::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace sardonyx::kernels {

HWY_EXPORT(tile_of_target);
HWY_EXPORT(run_dense);
HWY_EXPORT(run_plain);

BlockedTile blocked_tile() noexcept { return HWY_DYNAMIC_DISPATCH(tile_of_target)(); }
void run_dense_task(const DenseTask& task) noexcept { HWY_DYNAMIC_DISPATCH(run_dense)(task); }
void run_plain_task(const PlainTask& task) noexcept { HWY_DYNAMIC_DISPATCH(run_plain)(task); }

}  // namespace sardonyx::kernels
#endif
