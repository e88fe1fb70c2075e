// Convolution where each group has one input channel (depthwise, with any channel multiplier), computed directly: no unfolding,
// no packing, no scratch. Vectorised over the outputs of a tile (flat_window.h); over the output width where there is no such tile.
#pragma once

#include "kernels/cpu/conv/conv.h"

namespace sardonyx::kernels {

// Why this kernel does not take the shape; nullptr: it does.
const char* depthwise_refuses(const ConvShape& shape) noexcept;

// Whether each output is computed by the same operations when a call computes some of the outermost dimension's outputs alone.
bool depthwise_allows_bands(const ConvShape& shape) noexcept;

// `w` is the plain weight tensor (out_channels, 1, kernel...).
void depthwise_run(const ConvShape& shape, const float* x, const float* w, const ConvEpilogue& epilogue, float* y,
                   core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
