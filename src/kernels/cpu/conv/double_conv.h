// Convolution over 1 to 3 spatial dimensions in double, channels first: tiles of the unfolded input, and a plain product with each.
//
// Work is split over images, groups, blocks of output channels and tiles of outputs, never by the number of threads.
#pragma once

#include "kernels/cpu/conv/conv.h"

namespace sardonyx::kernels {

// y = activation(conv(x, w) + bias + residual)
struct DoubleConvEpilogue {
  const double* bias = nullptr;      // one value for each output channel, or null
  const double* residual = nullptr;  // the layout of y, and not y itself; or null
  Activation activation;
};

size_t double_conv_scratch_bytes(const ConvShape& shape, int threads) noexcept;
// `scratch` holds double_conv_scratch_bytes(shape, pool.threads()) bytes.
void double_conv(const ConvShape& shape, const double* x, const double* w, const DoubleConvEpilogue& epilogue, double* y, void* scratch,
                 core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
