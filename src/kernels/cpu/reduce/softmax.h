// Softmax and LogSoftmax over the last axis.
#pragma once

#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

// Each of `rows` rows of `size` values: y = exp(x - max) / sum, or with `log`, x - max - log(sum). y may be x.
void softmax(size_t rows, size_t size, bool log, const float* x, float* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
