// Local response normalisation across channels.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

struct LrnShape {
  size_t batch = 1, channels = 1, inner = 1;
  size_t before = 0, after = 0;  // neighbouring channels that count besides the own one
};
struct LrnFactors {
  double bias = 1, alpha = 1e-4, beta = 0.75;  // alpha: for the sum of squares, already divided by the number of channels
};

// y = x / (bias + alpha * sum of squares over the neighbouring channels)^beta.
void lrn(const LrnShape& shape, const LrnFactors& factors, const float* x, float* y, core::ThreadPool& pool) noexcept;
void lrn(const LrnShape& shape, const LrnFactors& factors, const double* x, double* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
