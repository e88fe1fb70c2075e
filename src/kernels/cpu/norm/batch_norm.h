// Batch normalisation at inference, once its four vectors are folded into one scale and one shift per channel.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

// scale[c] = gamma[c] / sqrt(variance[c] + epsilon); shift[c] = beta[c] - mean[c] * scale[c].
void fold_batch_norm(size_t channels, const float* gamma, const float* beta, const float* mean, const float* variance, float epsilon,
                     float* scale, float* shift) noexcept;

// y[b][c][i] = x[b][c][i] * scale[c] + shift[c], i in [0, inner). y may be x.
void scale_shift(size_t batch, size_t channels, size_t inner, const float* x, const float* scale, const float* shift, float* y,
                 core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
