// How a tile of a plane is laid out so that a window over it becomes a sum of contiguous vectors.
//
// The input under the tile is copied, padding included, into stride_h * stride_w planes, one for each phase: input (y, x), counted from the
// first position under the tile, lies in plane (y % stride_h, x % stride_w) at (y / stride_h, x / stride_w). A tap then reads a plane at
// the place of the output plus a fixed distance, whatever stride and dilation are, and a vector may run on from one line into the next: it
// computes a few columns between the lines for nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "kernels/cpu/window.h"

namespace sardonyx::kernels {

class FlatWindow {
 public:
  static constexpr size_t kMostTaps = 1024;
  static constexpr size_t kInputFloats = 4096;  // that the planes of a tile take
  static constexpr size_t kMostColumns = 256;   // outputs of a tile's line

  // `window` has rank 3.
  explicit FlatWindow(const Window& window) noexcept : taps_(window.kernel[1] * window.kernel[2]) {
    if (!fits(window)) return;
    columns_ = std::min(window.out[2], kMostColumns);
    reach_h_ = (window.kernel[1] - 1) * window.dilation[1] / window.stride[1];
    pitch_ = columns_ + (window.kernel[2] - 1) * window.dilation[2] / window.stride[2];
    const size_t rows = kInputFloats / (window.stride[1] * window.stride[2]) / std::max<size_t>(pitch_, 1);
    // Fewer lines would be spent on copying rows that the tile above has copied already.
    if (rows <= reach_h_ || rows - reach_h_ < std::min(window.out[1], reach_h_)) return;
    lines_ = std::min(rows - reach_h_, window.out[1]);
    place_taps(window);
  }

  // Whether there is such a layout. Else nothing more may be asked.
  bool exists() const noexcept { return lines_ > 0 && columns_ > 0; }

  size_t lines() const noexcept { return lines_; }      // outputs of a tile at most
  size_t columns() const noexcept { return columns_; }  // of a line at most
  size_t pitch() const noexcept { return pitch_; }      // floats from one line to the next, of input planes and of outputs
  size_t input_rows(size_t lines) const noexcept { return lines + reach_h_; }
  size_t plane_floats() const noexcept { return (lines_ + reach_h_) * pitch_; }
  size_t taps() const noexcept { return taps_; }
  const uint32_t* distances() const noexcept { return distances_.data(); }  // of each tap

 private:
  static constexpr size_t kMostStride = 4;
  static constexpr size_t kMostReach = 4096;

  bool fits(const Window& window) const noexcept {
    const bool plane = window.in[0] == 1 && window.out[0] == 1 && window.kernel[0] == 1 && window.pad_begin[0] == 0;
    const bool small_steps = std::max(window.stride[1], window.stride[2]) <= kMostStride;
    if (!plane || !small_steps || window.kernel[1] > kMostTaps || window.kernel[2] > kMostTaps || taps_ > kMostTaps) return false;
    return std::max(window.dilation[1], window.dilation[2]) <= kMostReach / std::max(window.kernel[1], window.kernel[2]);
  }

  void place_taps(const Window& window) noexcept {
    for (size_t tap = 0; tap < taps_; ++tap) {
      const size_t y = tap / window.kernel[2] * window.dilation[1], x = tap % window.kernel[2] * window.dilation[2];
      const size_t plane = y % window.stride[1] * window.stride[2] + x % window.stride[2];
      distances_[tap] = static_cast<uint32_t>(plane * plane_floats() + y / window.stride[1] * pitch_ + x / window.stride[2]);
    }
  }

  size_t taps_;
  size_t lines_ = 0, columns_ = 0, pitch_ = 0, reach_h_ = 0;
  std::array<uint32_t, kMostTaps> distances_;
};

}  // namespace sardonyx::kernels
