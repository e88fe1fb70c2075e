// Batch normalisation, once its four vectors are folded into one scale and one shift per channel.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

// What is known of each channel.
struct BatchNormVectors {
  const double *gamma, *beta, *mean, *variance;
};

// scale[c] = gamma[c] / sqrt(variance[c] + epsilon); shift[c] = beta[c] - mean[c] * scale[c].
void fold_batch_norm(size_t channels, const BatchNormVectors& of, double epsilon, float* scale, float* shift) noexcept;
void fold_batch_norm(size_t channels, const BatchNormVectors& of, double epsilon, double* scale, double* shift) noexcept;

// y[b][c][i] = x[b][c][i] * scale[c] + shift[c], i in [0, inner). y may be x.
void scale_shift(size_t batch, size_t channels, size_t inner, const float* x, const float* scale, const float* shift, float* y,
                 core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
