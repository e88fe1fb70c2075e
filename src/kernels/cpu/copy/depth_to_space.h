// DepthToSpace and SpaceToDepth (PixelShuffle, PixelUnshuffle) as strided copies.
#pragma once

#include <cstddef>

#include "kernels/cpu/copy/strided_copy.h"

namespace sardonyx::kernels {

// How the channels of the deep tensor are numbered: DCR = (block_y, block_x, channel), the ONNX default;
// CRD = (channel, block_y, block_x), torch's pixel_shuffle.
enum class DepthOrder { kDcr, kCrd };

// (batch, channels * block * block, height, width) <-> (batch, channels, height * block, width * block); channels, height and width are
// those of the deep side divided as written here.
struct DepthShape {
  size_t batch = 1;
  size_t channels = 1;
  size_t height = 1;
  size_t width = 1;
  size_t block = 1;
  // Elements from one plane to the next; 0: the planes are contiguous.
  size_t deep_plane = 0, wide_plane = 0;
};

StridedCopy depth_to_space(const DepthShape& shape, DepthOrder order) noexcept;
StridedCopy space_to_depth(const DepthShape& shape, DepthOrder order) noexcept;

}  // namespace sardonyx::kernels
