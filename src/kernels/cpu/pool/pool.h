// Pooling over 1 to 3 spatial dimensions of planes (plane = one channel of one image).
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/parallel.h"
#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

struct PoolShape {
  size_t planes = 1;  // batch * channels
  Window window;
  Extents pad_end = {0, 0, 0};    // only average_pool with count_include_pad looks at it
  PlaneDistances distances = {};  // looked at by the pools with windows, of float
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

// The same in double, one value after another.
void average_pool(const PoolShape& shape, bool count_include_pad, const double* x, double* y, core::ThreadPool& pool) noexcept;
void global_average_pool(size_t planes, size_t size, const double* x, double* y, core::ThreadPool& pool) noexcept;
void global_max_pool(size_t planes, size_t size, const double* x, double* y, core::ThreadPool& pool) noexcept;
void adaptive_average_pool(const PoolShape& shape, const double* x, double* y, core::ThreadPool& pool) noexcept;

// The cell of output `o` in dimension `i` of an adaptive pool.
inline Range adaptive_cell(const Window& window, size_t i, size_t o) noexcept {
  return {o * window.in[i] / window.out[i], ((o + 1) * window.in[i] + window.out[i] - 1) / window.out[i]};
}

// pad_end of the window with three dimensions.
inline Extents pad_end_with_three_dims(const PoolShape& shape) noexcept {
  Extents result = {0, 0, 0};
  std::copy_n(shape.pad_end.begin(), shape.window.rank, result.begin() + (kMaxSpatial - shape.window.rank));
  return result;
}

// Taps of output `o` in dimension `i` inside the input extended by pad_begin and `pad_end`.
inline size_t padded_taps(const Window& window, const Extents& pad_end, size_t i, size_t o) noexcept {
  const auto high = static_cast<ptrdiff_t>(window.in[i] + pad_end[i]);
  return steps_inside(window.origin(i, o), window.dilation[i], window.kernel[i], -static_cast<ptrdiff_t>(window.pad_begin[i]), high).size();
}

}  // namespace sardonyx::kernels
