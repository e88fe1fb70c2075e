// What the two sides of the blocked convolution agree on: the grid of tasks and layouts (conv.cc) and the SIMD bodies (dense.cc,
// depthwise.cc).
//
// Packed weights, dense: [group][group of output blocks][input channel block][tap][channel of the block][output channel], with as many
// output channels as the group of blocks has lanes; a plain input has blocks of one channel. Depthwise: [block][tap][channel].
#pragma once

#include <cstddef>

#include "kernels/cpu/conv/conv.h"

namespace sardonyx::kernels {

inline constexpr size_t kMostTileBlocks = 4;

// Register tiles of the SIMD target in use.
struct BlockedTile {
  size_t lanes = 1;
  size_t blocks = 1;                     // of output channels, at most
  size_t pixels[kMostTileBlocks] = {1};  // at most, by the number of blocks less one
};
BlockedTile blocked_tile() noexcept;

// Some output blocks of some consecutive pixels (numbered through the lines) of one image.
struct DenseTask {
  const float* x = nullptr;  // channel block 0 of the group
  size_t x_block = 0;        // floats from one block to the next
  size_t channels = 0;       // input channels of the group
  size_t taps = 1;
  size_t blocks_at_once = 1;  // input blocks between two visits of y
  // Where pixel p of tile t finds tap k, in floats from the block's beginning: offsets[(first pixel of t) * taps + k * pixels of t + p];
  // negative: in the padding.
  const ptrdiff_t* offsets = nullptr;
  const float* weights = nullptr;
  size_t blocks = 1;  // output blocks
  size_t pixels = 0;
  const float* bias = nullptr;      // of all lanes
  const float* residual = nullptr;  // as y
  float* y = nullptr;               // pixel 0 of output block 0
  size_t y_block = 0;
  const Activation* activation = nullptr;
};
void run_dense_task(const DenseTask& task) noexcept;

// The same from a plain input whose padding has been written out.
struct PlainTask {
  const float* x = nullptr;
  size_t depth = 0;                   // channels times taps
  const ptrdiff_t* steps = nullptr;   // by depth: floats from the first channel's first tap
  const ptrdiff_t* places = nullptr;  // by pixel: where its first tap is
  DenseTask common;                   // from `weights` on
};
void run_plain_task(const PlainTask& task) noexcept;

// Lines [first, last) of one block of a depthwise convolution.
struct DepthwiseTask {
  const Window* window = nullptr;  // of rank 2
  const float* x = nullptr;
  const float* weights = nullptr;
  const float* bias = nullptr;
  const float* residual = nullptr;  // as y
  float* y = nullptr;               // pixel 0 of the block
  size_t first = 0, last = 0;
  const Activation* activation = nullptr;
};
void run_depthwise_task(const DepthwiseTask& task) noexcept;

}  // namespace sardonyx::kernels
