// Operators of ai.sardonyx on images in the channel-blocked layout (kernels/cpu/blocked/layout.h), which the optimiser puts in for regions
// of convolutions: a blocked image is a tensor (batch, blocks, height, width, lanes) of float32.
//
//   BlockChannels X                     (batch, channels, height, width) to blocked
//   UnblockChannels X                   back; attribute `channels`
//   BlockedConv X, W, B, Z              FusedConv: X blocked or, for the first convolution of a network, plain; W and B as Conv has them;
//                                       Z, a residual, and the result blocked
//   BlockedMaxPool, BlockedAveragePool, BlockedGlobalAveragePool X      the pools of these names, with their attributes
//   BlockedScale X, S                   X * S, where S has one pixel for each block
//
// The number of lanes is that of the SIMD target in use; other tensors are refused.
#pragma once

#include "ops/facts.h"

namespace sardonyx::ops {

// Sizes of a blocked image; throws InvalidArgument, telling `name`, where the value is none.
struct BlockedImage {
  int64_t batch, blocks, height, width, lanes;
  Shape shape() const { return {batch, blocks, height, width, lanes}; }
};
BlockedImage blocked_image(const ValueFacts& facts, std::string_view name);

// Channels of a block on this machine, and blocks that hold so many channels.
int64_t block_lanes() noexcept;
int64_t channel_blocks(int64_t channels) noexcept;

}  // namespace sardonyx::ops
