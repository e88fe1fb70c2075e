// Sampling a tensor at places that a grid gives: nearest, linear or cubic between the positions around each place.
#pragma once

#include <array>
#include <cstddef>

#include "core/parallel.h"

namespace sardonyx::kernels {

inline constexpr size_t kMaxGridRank = 4;    // spatial dimensions
inline constexpr size_t kMaxGridTaps = 256;  // 4 to the power of that

enum class GridMode { kNearest, kLinear, kCubic };
enum class GridPadding { kZeros, kBorder, kReflection };

struct GridShape {
  GridMode mode = GridMode::kLinear;
  GridPadding padding = GridPadding::kZeros;
  bool align_corners = false;
  size_t rank = 2;
  std::array<size_t, kMaxGridRank> sizes = {};  // of the spatial dimensions, outermost first; all positive
};

// What one output element is made of: sum of weights[i] * plane[offsets[i]]. Positions in the padding of zeros are left out.
struct GridTaps {
  size_t count = 0;
  std::array<size_t, kMaxGridTaps> offsets;
  std::array<double, kMaxGridTaps> weights;
};

// `place`: coordinates of the grid, from -1 to 1 over the tensor, the innermost dimension first. NaN counts as far outside.
template <class T>
void grid_taps(const GridShape& shape, const T* place, GridTaps& taps) noexcept;

// The taps of linear interpolation at a place given in positions, outermost dimension first; zeros outside.
void position_taps(const GridShape& shape, const double* place, GridTaps& taps) noexcept;

}  // namespace sardonyx::kernels
