// Resampling one axis of a tensor: each output position is a weighted sum of input positions. Separable filters are one pass per axis.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/parallel.h"

namespace sardonyx::kernels {

// Output position o is the sum over k of weights[o * taps + k] * x[positions[o * taps + k]].
struct AxisTaps {
  size_t in = 0, out = 0, taps = 0;
  std::vector<size_t> positions = {};  // all below `in`
  std::vector<double> weights = {};
  std::vector<bool> outside = {};  // empty, or for each output position whether it takes `fill` instead
  double fill = 0;
};

// x (outer, taps.in, inner), y (outer, taps.out, inner), contiguous.
template <class T>
void resample_axis(const AxisTaps& taps, size_t outer, size_t inner, const T* x, T* y, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
