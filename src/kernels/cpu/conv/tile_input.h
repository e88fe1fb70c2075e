// The part of a convolution's input that one tile of outputs reads, laid out so that every tap of every output of the tile lies at
// a fixed distance: input(tap, output) = data[offset(tap) + output]. The product then walks it with an offset per tap, and the unfolded
// input is never made.
//
// In each dimension the tile's inputs are cut into slices, each a run of positions one stride apart, so that stepping to the next output
// is stepping to the next element. Taps share slices (one for each position within a stride) or have one each, whichever is smaller: the
// size never exceeds that of the unfolded tile.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

// One dimension of a tile of `outputs` consecutive outputs.
struct TileAxis {
  TileAxis() = default;
  TileAxis(const Window& window, size_t dimension, size_t outputs) noexcept;

  // The slice that tap `t` reads, and where in it output 0 of the tile finds its input.
  size_t slice_of(size_t t) const noexcept { return is_shared ? t * dilation % stride : t; }
  size_t offset_of(size_t t) const noexcept { return is_shared ? t * dilation / stride : 0; }
  // Input position of element 0 of slice `s`, relative to that under tap 0 of the first output.
  size_t slice_begin(size_t s) const noexcept { return is_shared ? s : s * dilation; }

  bool is_shared = false;
  size_t stride = 1;
  size_t dilation = 1;
  size_t slices = 1;
  size_t length = 1;  // elements of a slice
};

// Layout of one channel: [slice d][slice h][slice w][d][h][w]; tiles are one output deep, so the d of a slice has one element.
struct TileLayout {
  TileLayout(const Window& window, size_t outputs_h, size_t outputs_w) noexcept;

  size_t plane() const noexcept { return axes[1].length * axes[2].length; }
  size_t channel_floats() const noexcept { return axes[0].slices * axes[1].slices * axes[2].slices * plane(); }
  // Distance between the elements of vertically neighbouring outputs; horizontal neighbours are adjacent.
  size_t pitch() const noexcept { return axes[2].length; }
  // offsets[i] of each (channel, tap), in the order of the weights.
  void fill_offsets(const Window& window, size_t channels, int32_t* offsets) const noexcept;

  std::array<TileAxis, kMaxSpatial> axes;
};

// Some channels of one image: planes `plane` elements apart.
struct InputPlanes {
  const float* x;
  size_t channels;
  size_t plane;
};

// Copies the channels for the tile whose first output is `out`; padding becomes 0. `data` holds channels * layout.channel_floats() floats.
// `window` has rank 3.
void fill_tile_input(const Window& window, const TileLayout& layout, const Extents& out, const InputPlanes& planes, float* data) noexcept;

}  // namespace sardonyx::kernels
