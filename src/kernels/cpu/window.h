// The geometry of a window that slides over 1 to 3 spatial dimensions: what convolution and pooling share.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

namespace sardonyx::kernels {

inline constexpr int kMaxSpatial = 3;
using Extents = std::array<size_t, kMaxSpatial>;

// Only the first `rank` entries count, outermost first. Output o, tap t reads input o * stride + t * dilation - pad_begin;
// positions outside [0, in) are padding. `out` is the caller's decision (it settles pad_end, ceil_mode and auto_pad).
struct Window {
  int rank = 2;
  Extents in = {1, 1, 1};
  Extents out = {1, 1, 1};
  Extents kernel = {1, 1, 1};
  Extents stride = {1, 1, 1};
  Extents dilation = {1, 1, 1};
  Extents pad_begin = {0, 0, 0};

  size_t in_size() const noexcept { return product(in); }
  size_t out_size() const noexcept { return product(out); }
  size_t kernel_size() const noexcept { return product(kernel); }
  size_t product(const Extents& extents) const noexcept {
    size_t result = 1;
    for (int i = 0; i < rank; ++i) result *= extents[static_cast<size_t>(i)];
    return result;
  }

  // The same window with rank 3: leading dimensions of one position, one tap.
  Window with_three_dims() const noexcept {
    Window wide;
    wide.rank = kMaxSpatial;
    const auto missing = static_cast<size_t>(kMaxSpatial - rank);
    for (size_t i = missing; i < kMaxSpatial; ++i) {
      wide.in[i] = in[i - missing];
      wide.out[i] = out[i - missing];
      wide.kernel[i] = kernel[i - missing];
      wide.stride[i] = stride[i - missing];
      wide.dilation[i] = dilation[i - missing];
      wide.pad_begin[i] = pad_begin[i - missing];
    }
    return wide;
  }

  // Input position under tap 0 of output `o` in dimension `i`.
  ptrdiff_t origin(size_t i, size_t o) const noexcept {
    return static_cast<ptrdiff_t>(o * stride[i]) - static_cast<ptrdiff_t>(pad_begin[i]);
  }
};

// Elements from one plane to the next, where planes are parts of larger ones (bands of rows): 0 stands for contiguous planes.
struct PlaneDistances {
  size_t x = 0, y = 0, residual = 0;
};

// A half-open range.
struct Range {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const noexcept { return end - begin; }
};

// The n in [0, count) with first + n * step in [low, high), for step > 0: always consecutive.
inline Range steps_inside(ptrdiff_t first, size_t step, size_t count, ptrdiff_t low, ptrdiff_t high) noexcept {
  const auto s = static_cast<ptrdiff_t>(step);
  const auto steps_to = [&](ptrdiff_t bound) { return first >= bound ? size_t{0} : static_cast<size_t>((bound - first + s - 1) / s); };
  const size_t end = std::min(count, steps_to(high));
  return {std::min(end, steps_to(low)), end};
}

// Taps of output `o` in dimension `i` that fall inside the input.
inline Range taps_inside(const Window& window, size_t i, size_t o) noexcept {
  return steps_inside(window.origin(i, o), window.dilation[i], window.kernel[i], 0, static_cast<ptrdiff_t>(window.in[i]));
}

}  // namespace sardonyx::kernels
