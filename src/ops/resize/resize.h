// Resize and Upsample, every version: attributes and value inputs, normalised, and what they make of each axis.
#pragma once

#include <optional>

#include "kernels/cpu/resample/resample.h"
#include "ops/facts.h"
#include "ops/op.h"

namespace sardonyx::ops {

enum class ResizeMode { kNearest, kLinear, kCubic };
enum class Coordinates { kHalfPixel, kHalfPixelSymmetric, kPytorchHalfPixel, kAlignCorners, kAsymmetric, kCropAndResize, kTfHalfPixel };
// kToSmaller: down where an axis grows, up where it shrinks (Upsample, and Resize of opset 10).
enum class NearestRule { kHalfDown, kHalfUp, kFloor, kCeil, kToSmaller };
enum class AspectPolicy { kStretch, kNotLarger, kNotSmaller };

struct ResizeSpec {
  ResizeMode mode = ResizeMode::kNearest;
  Coordinates coordinates = Coordinates::kHalfPixel;
  NearestRule nearest = NearestRule::kHalfDown;
  AspectPolicy policy = AspectPolicy::kStretch;
  double cubic_a = -0.75;
  double extrapolation = 0;
  bool exclude_outside = false, antialias = false;
  std::optional<std::vector<int64_t>> axes = {};
  std::vector<float> scales = {};  // given by attributes (Upsample until opset 8)
  // Numbers of the inputs that give the values; -1: there is none.
  int roi_input = -1, scales_input = -1, sizes_input = -1;

  uint32_t value_inputs() const noexcept;
};

ResizeSpec resize_spec_from_node(const model::Node& node, int64_t opset);

struct ResizedAxis {
  int64_t in = 0, out = 0;
  double scale = 1, roi_begin = 0, roi_end = 1;
};
// One for each dimension of input 0. The value inputs must be known.
std::vector<ResizedAxis> resized_axes(const ResizeSpec& spec, const BindContext& context);

// Whether the axis is passed through unchanged.
bool is_unchanged(const ResizeSpec& spec, const ResizedAxis& axis) noexcept;
// The weighted positions of an axis for linear and cubic; for nearest one tap of weight 1. Neither size of the axis is 0.
kernels::AxisTaps axis_taps(const ResizeSpec& spec, const ResizedAxis& axis);

}  // namespace sardonyx::ops
