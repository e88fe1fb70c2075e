// The channel-blocked layout of images: (batch, blocks, height, width, lanes) instead of (batch, channels, height, width). A block holds
// as many consecutive channels as a vector of the SIMD target in use has lanes, so that a vector is one pixel of a block.
//
// Where the channels end within the last block, the lanes behind them mean nothing: no kernel lets them reach a channel, whatever they
// hold, so that elementwise functions may make anything of them.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

// Channels of a block. It changes with the SIMD target in use.
size_t block_lanes() noexcept;

inline constexpr size_t blocks_of(size_t channels, size_t lanes) noexcept { return (channels + lanes - 1) / lanes; }

// Images whose planes (one channel of one image) have `plane` elements.
struct ChannelPlanes {
  size_t batch = 1;
  size_t channels = 1;
  size_t plane = 1;
};

// The lanes behind the last channel become 0.
void block_channels(const ChannelPlanes& planes, const float* x, float* y, core::ThreadPool& pool) noexcept;
void unblock_channels(const ChannelPlanes& planes, const float* x, float* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
