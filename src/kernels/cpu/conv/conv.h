// Convolution over 1 to 3 spatial dimensions, float, channels first (N C D H W), as an implicit matrix product: column tiles of the
// unfolded input are written straight into the packed panels of the product, so scratch is bounded by one tile per thread.
//
// Work is split over images, groups, blocks of output channels and column tiles, never by the number of threads: the bits of the result
// do not depend on it.
#pragma once

#include <cstddef>

#include "core/parallel.h"
#include "kernels/cpu/gemm/gemm.h"
#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

// x (batch, in_channels, in...), w (out_channels, in_channels / groups, kernel...), y (batch, out_channels, out...); each plane (one
// channel of one image) and w are contiguous. `groups` divides both channel counts. Channels, groups, kernel, stride and dilation are
// positive; batch, in and out may be 0.
struct ConvShape {
  size_t batch = 1;
  size_t groups = 1;
  size_t in_channels = 1;
  size_t out_channels = 1;
  Window window;
  PlaneDistances distances = {};
  bool winograd = false;  // by the way of winograd.h, which must serve the shape

  size_t x_plane() const noexcept { return distances.x != 0 ? distances.x : window.in_size(); }
  size_t y_plane() const noexcept { return distances.y != 0 ? distances.y : window.out_size(); }
  size_t residual_plane() const noexcept { return distances.residual != 0 ? distances.residual : window.out_size(); }
};

// y = activation(conv(x, w) + bias + residual)
struct ConvEpilogue {
  const float* bias = nullptr;      // one value for each output channel
  const float* residual = nullptr;  // the shape of y; may be y itself
  Activation activation;
};

// Weights are packed once; `w` need not be aligned for floats. `pool`: null: on the calling thread alone. The packed layout belongs to this
// process's SIMD target.
size_t conv_packed_weight_floats(const ConvShape& shape) noexcept;
void conv_pack_weights(const ConvShape& shape, const float* w, float* packed, core::ThreadPool* pool = nullptr) noexcept;

size_t conv_scratch_bytes(const ConvShape& shape, int threads) noexcept;
// Enough for every shape that differs from this one by at most `rows` outputs, at least one, in the outermost dimension.
size_t conv_band_scratch_bytes(const ConvShape& shape, size_t rows, int threads) noexcept;
// `scratch` holds conv_scratch_bytes(shape, pool.threads()) bytes.
void conv_run(const ConvShape& shape, const float* x, const float* packed_weights, const ConvEpilogue& epilogue, float* y, void* scratch,
              core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
