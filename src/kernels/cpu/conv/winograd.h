// Convolution with 3 x 3 kernels that move by one, by Winograd's minimal filtering F(2 x 2, 3 x 3): for each channel 16 products make four
// outputs, in place of 36. Source: Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", 2015.
//
// The sums are formed of sums and differences of neighbouring inputs: rounding errors are about twice the direct ones, and where an input
// is infinite or close to the largest float, NaN or infinity reaches up to four outputs that do not see that input.
#pragma once

#include "kernels/cpu/conv/conv.h"

namespace sardonyx::kernels {

// Rows of outputs that are computed together: rows of a band have the bits of the whole where the band begins with a multiple of it.
inline constexpr size_t kWinogradRows = 2;

// Why this convolution is not served; nullptr: it is. Does not depend on batch and image size.
const char* winograd_refuses(const ConvShape& shape) noexcept;

size_t winograd_packed_weight_floats(const ConvShape& shape) noexcept;
void winograd_pack_weights(const ConvShape& shape, const float* w, float* packed, core::ThreadPool* pool) noexcept;

size_t winograd_scratch_bytes(const ConvShape& shape, int threads) noexcept;
// As conv_run. Work is split by tiles of outputs alone: the bits do not depend on the number of threads.
void winograd_run(const ConvShape& shape, const float* x, const float* packed_weights, const ConvEpilogue& epilogue, float* y,
                  void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
