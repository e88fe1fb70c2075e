// Convolution over two spatial dimensions of channel-blocked images (layout.h), computed directly: a tile of pixels of some blocks of
// output channels stays in registers while the input channels and taps go by. Nothing is unfolded or copied.
//
// Work is split over images, groups, output blocks and pixels, never by the number of threads: the bits of the result do not depend on it.
#pragma once

#include <string>

#include "kernels/cpu/blocked/layout.h"
#include "kernels/cpu/conv/conv.h"

namespace sardonyx::kernels {

struct BlockedConvShape {
  ConvShape conv;            // its distances are not looked at
  bool plain_input = false;  // x is in the plain layout: for the few channels of a network's first convolution
};

// Why there is no kernel for the shape; nullptr: there is one. Spatial sizes do not matter.
const char* blocked_conv_refuses(const BlockedConvShape& shape) noexcept;

// Weights, (out_channels, in_channels / groups, kernel...), are packed once; `w` need not be aligned for floats. The packed layout belongs
// to the SIMD target in use.
size_t blocked_conv_packed_floats(const BlockedConvShape& shape) noexcept;
void blocked_conv_pack(const BlockedConvShape& shape, const float* w, float* packed, core::ThreadPool* pool = nullptr) noexcept;

// What the packed layout depends on besides the shape: a version, to be raised with any change to it, and the register tile.
std::string blocked_packed_layout();

size_t blocked_conv_scratch_bytes(const BlockedConvShape& shape, int threads) noexcept;
// y and the residual are blocked; the bias has one value for each channel. `scratch` holds blocked_conv_scratch_bytes(shape,
// pool.threads()) bytes.
void blocked_conv_run(const BlockedConvShape& shape, const float* x, const float* packed, const ConvEpilogue& epilogue, float* y,
                      void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
