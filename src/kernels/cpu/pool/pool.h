// Pooling over 1 to 3 spatial dimensions, float, contiguous planes (plane = one channel of one image).
#pragma once

#include <cstddef>

#include "core/parallel.h"
#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

struct PoolShape {
  size_t planes = 1;  // batch * channels
  Window window;
  Extents pad_end = {0, 0, 0};  // only average_pool with count_include_pad looks at it
};

// The greatest value under each window; padding does not take part, NaN wins. A window that lies wholly in the padding gives -infinity.
void max_pool(const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) noexcept;

// The sum under each window divided by the number of taps: those inside the input, or, with `count_include_pad`, those inside the input
// extended by pad_begin and pad_end. A window without such taps gives NaN (0 / 0).
void average_pool(const PoolShape& shape, bool count_include_pad, const float* x, float* y, core::ThreadPool& pool) noexcept;

// The mean and the maximum of each plane of `size` values (size > 0): y has one value per plane.
void global_average_pool(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool) noexcept;
void global_max_pool(size_t planes, size_t size, const float* x, float* y, core::ThreadPool& pool) noexcept;

// Mean over [floor(o * in / out), ceil((o + 1) * in / out)) in each dimension, as torch.nn.AdaptiveAvgPool. Uses rank, in and out.
void adaptive_average_pool(const PoolShape& shape, const float* x, float* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
