#include <algorithm>
#include <cmath>

#include "ops/attributes/attributes.h"
#include "ops/elements/elements.h"
#include "ops/resize/resize.h"

namespace sardonyx::ops {
namespace {

constexpr double kMaxSize = 9e15;  // exact in double, far above any memory

ResizeMode mode_from_node(const model::Node& node) {
  return get_choice<ResizeMode>(node, "mode", "nearest",
                                {{"nearest", ResizeMode::kNearest},
                                 {"linear", ResizeMode::kLinear},
                                 {"bilinear", ResizeMode::kLinear},
                                 {"cubic", ResizeMode::kCubic}});
}

void read_old(ResizeSpec& spec, const model::Node& node, int64_t opset) {
  spec.coordinates = Coordinates::kAsymmetric;
  spec.nearest = NearestRule::kToSmaller;
  if (opset >= 9) {
    spec.scales_input = 1;
  } else if (opset >= 7) {
    spec.scales = model::get_floats(node, "scales");
  } else {
    spec.scales = {1, 1, model::get_float(node, "height_scale", 1), model::get_float(node, "width_scale", 1)};
  }
}

void read_new(ResizeSpec& spec, const model::Node& node) {
  spec.coordinates = get_choice<Coordinates>(node, "coordinate_transformation_mode", "half_pixel",
                                             {{"half_pixel", Coordinates::kHalfPixel},
                                              {"half_pixel_symmetric", Coordinates::kHalfPixelSymmetric},
                                              {"pytorch_half_pixel", Coordinates::kPytorchHalfPixel},
                                              {"align_corners", Coordinates::kAlignCorners},
                                              {"asymmetric", Coordinates::kAsymmetric},
                                              {"tf_crop_and_resize", Coordinates::kCropAndResize},
                                              {"tf_half_pixel_for_nn", Coordinates::kTfHalfPixel}});
  spec.nearest = get_choice<NearestRule>(node, "nearest_mode", "round_prefer_floor",
                                         {{"round_prefer_floor", NearestRule::kHalfDown},
                                          {"round_prefer_ceil", NearestRule::kHalfUp},
                                          {"floor", NearestRule::kFloor},
                                          {"ceil", NearestRule::kCeil}});
  spec.policy = get_choice<AspectPolicy>(
      node, "keep_aspect_ratio_policy", "stretch",
      {{"stretch", AspectPolicy::kStretch}, {"not_larger", AspectPolicy::kNotLarger}, {"not_smaller", AspectPolicy::kNotSmaller}});
  spec.cubic_a = static_cast<double>(model::get_float(node, "cubic_coeff_a", -0.75f));
  spec.extrapolation = static_cast<double>(model::get_float(node, "extrapolation_value", 0));
  spec.exclude_outside = model::get_int(node, "exclude_outside", 0) != 0;
  spec.antialias = model::get_int(node, "antialias", 0) != 0;
  if (node.find_attribute("axes")) spec.axes = model::get_ints(node, "axes");
  if (spec.coordinates == Coordinates::kCropAndResize) spec.roi_input = 1;
  spec.scales_input = 2;
  spec.sizes_input = 3;
}

// The values of a number tensor that is known when the operator is bound; none where the input is absent or empty.
std::vector<double> real_values(const BindContext& b, int index, std::string_view name) {
  const ValueFacts* facts = index < 0 ? nullptr : optional(b, static_cast<size_t>(index));
  if (!facts) return {};
  require_dtype(*facts, kFloats | DTypeSet{DType::kInt64}, name);
  if (!facts->constant) throw Error(ErrorCode::kInternal, fmt::format("bound without the values of {}", name));
  std::vector<double> values(to_size(facts->constant->numel()));
  load_run<double>(facts->dtype)(facts->constant->raw(), 1, values.size(), values.data());
  return values;
}

void check_count(const std::vector<double>& values, size_t expected, std::string_view name) {
  if (values.size() != expected) throw argument_error("{} has {} values; {} are needed", name, values.size(), expected);
}

int64_t checked_size(double size, std::string_view name) {
  if (!(size >= 0) || size > kMaxSize) throw argument_error("{} asks for a size of {}", name, size);
  return static_cast<int64_t>(size);
}

void apply_scales(std::vector<ResizedAxis>& axes, const std::vector<size_t>& chosen, const std::vector<double>& scales) {
  check_count(scales, chosen.size(), "scales");
  for (size_t i = 0; i < chosen.size(); ++i) {
    ResizedAxis& axis = axes[chosen[i]];
    if (!(scales[i] > 0) || !std::isfinite(scales[i])) throw argument_error("scales holds {}; scales must be positive", scales[i]);
    axis.scale = scales[i];
    // In float, as everybody computes sizes: 0.7f * 10 is 7.
    const float size = std::floor(static_cast<float>(axis.in) * static_cast<float>(scales[i]));
    axis.out = checked_size(static_cast<double>(size), "scales");
  }
}

void apply_sizes(AspectPolicy policy, std::vector<ResizedAxis>& axes, const std::vector<size_t>& chosen, const std::vector<double>& sizes) {
  check_count(sizes, chosen.size(), "sizes");
  double least = 0, most = 0;
  for (size_t i = 0; i < chosen.size(); ++i) {
    ResizedAxis& axis = axes[chosen[i]];
    axis.out = checked_size(sizes[i], "sizes");
    if (axis.in == 0 && axis.out == 0) continue;
    axis.scale = static_cast<double>(axis.out) / static_cast<double>(axis.in);
    least = i == 0 ? axis.scale : std::min(least, axis.scale);
    most = i == 0 ? axis.scale : std::max(most, axis.scale);
  }
  if (policy == AspectPolicy::kStretch) return;
  const double scale = policy == AspectPolicy::kNotLarger ? least : most;
  for (const size_t i : chosen) {
    axes[i].scale = scale;
    axes[i].out = checked_size(std::floor(scale * static_cast<double>(axes[i].in) + 0.5), "sizes");
  }
}

void apply_roi(std::vector<ResizedAxis>& axes, const std::vector<size_t>& chosen, const std::vector<double>& roi) {
  check_count(roi, 2 * chosen.size(), "roi");
  for (size_t i = 0; i < chosen.size(); ++i) {
    axes[chosen[i]].roi_begin = roi[i];
    axes[chosen[i]].roi_end = roi[chosen.size() + i];
    if (!std::isfinite(roi[i]) || !std::isfinite(roi[chosen.size() + i])) throw argument_error("roi holds values that are not finite");
  }
}

std::vector<size_t> chosen_axes(const ResizeSpec& spec, size_t rank) {
  std::vector<size_t> chosen;
  if (!spec.axes) {
    for (size_t i = 0; i < rank; ++i) chosen.push_back(i);
    return chosen;
  }
  checked_axes(*spec.axes, rank);
  for (const int64_t axis : *spec.axes) chosen.push_back(checked_axis(axis, rank));
  return chosen;
}

// The place in the input of output position `o`.
double source(const ResizeSpec& spec, const ResizedAxis& axis, double o) noexcept {
  const auto in = static_cast<double>(axis.in), width = axis.scale * in;
  switch (spec.coordinates) {
    case Coordinates::kHalfPixel:
      return (o + 0.5) / axis.scale - 0.5;
    case Coordinates::kHalfPixelSymmetric:
      return in / 2 * (1 - static_cast<double>(axis.out) / width) + (o + 0.5) / axis.scale - 0.5;
    case Coordinates::kPytorchHalfPixel:
      return axis.out > 1 ? (o + 0.5) / axis.scale - 0.5 : 0;
    case Coordinates::kAlignCorners:
      return width == 1 ? 0 : o * (in - 1) / (width - 1);
    case Coordinates::kAsymmetric:
      return o / axis.scale;
    case Coordinates::kTfHalfPixel:
      return (o + 0.5) / axis.scale;
    case Coordinates::kCropAndResize:
      break;
  }
  const double begin = axis.roi_begin * (in - 1), extent = (axis.roi_end - axis.roi_begin) * (in - 1);
  return width == 1 ? begin + extent / 2 : begin + o * extent / (width - 1);
}

double nearest(NearestRule rule, double x, bool shrinks) noexcept {
  switch (rule) {
    case NearestRule::kHalfDown:
      return std::ceil(x - 0.5);
    case NearestRule::kHalfUp:
      return std::floor(x + 0.5);
    case NearestRule::kFloor:
      return std::floor(x);
    case NearestRule::kCeil:
      return std::ceil(x);
    case NearestRule::kToSmaller:
      break;
  }
  return shrinks ? std::ceil(x) : std::floor(x);
}

double filter(const ResizeSpec& spec, double x) noexcept {
  x = std::abs(x);
  if (spec.mode == ResizeMode::kLinear) return std::max(1 - x, 0.0);
  const double a = spec.cubic_a;
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

size_t clamped(double position, int64_t size) noexcept {
  return static_cast<size_t>(std::clamp(position, 0.0, static_cast<double>(size - 1)));
}

// Weights of the taps around x, made to sum up to 1.
void weigh(const ResizeSpec& spec, const ResizedAxis& axis, double x, double shrink, size_t half, size_t* positions, double* weights) {
  const double base = std::floor(x) == x ? x - 1 : std::floor(x);  // x lies in (base, base + 1]
  double sum = 0;
  for (size_t k = 0; k < 2 * half; ++k) {
    const double position = base + 1 - static_cast<double>(half) + static_cast<double>(k);
    const bool outside = position < 0 || position >= static_cast<double>(axis.in);
    weights[k] = spec.exclude_outside && outside ? 0 : filter(spec, (position - x) * shrink);
    positions[k] = clamped(position, axis.in);
    sum += weights[k];
  }
  if (sum == 0) return;
  for (size_t k = 0; k < 2 * half; ++k) weights[k] /= sum;
}

}  // namespace

uint32_t ResizeSpec::value_inputs() const noexcept {
  uint32_t bits = 0;
  for (const int input : {roi_input, scales_input, sizes_input}) {
    if (input >= 0) bits |= uint32_t{1} << input;
  }
  return bits;
}

ResizeSpec resize_spec_from_node(const model::Node& node, int64_t opset) {
  ResizeSpec spec{.mode = mode_from_node(node)};
  if (node.op_type == "Upsample" || opset < 11) {
    read_old(spec, node, opset);
  } else {
    read_new(spec, node);
  }
  if (spec.mode == ResizeMode::kNearest) spec.antialias = spec.exclude_outside = false;
  return spec;
}

std::vector<ResizedAxis> resized_axes(const ResizeSpec& spec, const BindContext& context) {
  const Shape& x = required(context, 0, "X").shape;
  std::vector<ResizedAxis> axes;
  for (const int64_t size : x) axes.push_back({.in = size, .out = size});
  const std::vector<size_t> chosen = chosen_axes(spec, x.size());
  std::vector<double> scales(spec.scales.begin(), spec.scales.end());
  if (scales.empty()) scales = real_values(context, spec.scales_input, "scales");
  const std::vector<double> sizes = real_values(context, spec.sizes_input, "sizes");
  if (!sizes.empty() && !scales.empty()) throw argument_error("scales and sizes are both given; leave one out");
  if (!sizes.empty()) {
    apply_sizes(spec.policy, axes, chosen, sizes);
  } else if (!scales.empty() || !chosen.empty()) {
    if (scales.empty()) throw argument_error("neither scales nor sizes tells the size of the result");
    apply_scales(axes, chosen, scales);
  }
  if (spec.roi_input >= 0) apply_roi(axes, chosen, real_values(context, spec.roi_input, "roi"));
  for (const ResizedAxis& axis : axes) {
    if (axis.in == 0 && axis.out != 0) throw argument_error("X has shape {}; nothing cannot be resized to {}", to_string(x), axis.out);
  }
  return axes;
}

bool is_unchanged(const ResizeSpec& spec, const ResizedAxis& axis) noexcept {
  const bool whole = spec.coordinates != Coordinates::kCropAndResize || (axis.roi_begin == 0 && axis.roi_end == 1);
  return axis.in == axis.out && axis.scale == 1 && whole && spec.coordinates != Coordinates::kTfHalfPixel;
}

kernels::AxisTaps axis_taps(const ResizeSpec& spec, const ResizedAxis& axis) {
  kernels::AxisTaps taps{.in = to_size(axis.in), .out = to_size(axis.out), .fill = spec.extrapolation};
  const bool is_nearest = spec.mode == ResizeMode::kNearest;
  const double support = spec.mode == ResizeMode::kCubic ? 2 : 1;
  const double shrink = spec.antialias ? std::min(axis.scale, 1.0) : 1;
  const double reach = std::ceil(support / shrink);
  if (reach > kMaxSize) throw argument_error("scale {} is too small for antialiasing", axis.scale);
  const size_t half = static_cast<size_t>(reach);
  taps.taps = is_nearest ? 1 : 2 * half;
  if (static_cast<double>(taps.out) * static_cast<double>(taps.taps) * (sizeof(double) + sizeof(size_t)) >
      static_cast<double>(tensor_byte_limit())) {
    throw Error(ErrorCode::kResourceLimit, fmt::format("{} weights for each of {} positions are too many", taps.taps, taps.out));
  }
  taps.positions.resize(taps.out * taps.taps);
  taps.weights.assign(taps.out * taps.taps, 1);
  if (spec.coordinates == Coordinates::kCropAndResize) taps.outside.resize(taps.out);
  core::InterruptCounter interrupt;
  for (size_t o = 0; o < taps.out; ++o) {
    interrupt.step();
    const double x = source(spec, axis, static_cast<double>(o));
    if (!taps.outside.empty()) taps.outside[o] = x < 0 || x > static_cast<double>(axis.in - 1);
    if (is_nearest) {
      taps.positions[o] = clamped(nearest(spec.nearest, x, axis.scale < 1), axis.in);
    } else {
      weigh(spec, axis, x, shrink, half, &taps.positions[o * taps.taps], &taps.weights[o * taps.taps]);
    }
  }
  return taps;
}

}  // namespace sardonyx::ops
