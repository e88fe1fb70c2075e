// Transposed convolution for float and double: products of weights and input, added up where the windows overlap.
#pragma once

#include "core/parallel.h"
#include "kernels/cpu/math/activation.h"
#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

// x (batch, in_channels, window.out...), w (in_channels, out_channels / groups, kernel...), y (batch, out_channels, window.in...):
// `window` is that of the convolution from y to x.
struct ConvTransposeShape {
  size_t batch = 1, groups = 1, in_channels = 1, out_channels = 1;
  Window window;
};

template <class T>
size_t conv_transpose_scratch_bytes(const ConvTransposeShape& shape, int threads) noexcept;
// `bias`: one value for each output channel, or null.
template <class T>
void conv_transpose(const ConvTransposeShape& shape, const T* x, const T* w, const T* bias, const Activation& activation, T* y,
                    void* scratch, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
