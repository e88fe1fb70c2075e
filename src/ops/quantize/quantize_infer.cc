#include <algorithm>
#include <cmath>

#include "ops/quantize/quantize.h"

namespace sardonyx::ops {

QuantRange quant_range(DType dtype) noexcept {
  const int bits = bit_width(dtype);
  constexpr DTypeSet kSigned = {DType::kInt8, DType::kInt16, DType::kInt4, DType::kInt2};
  if (kSigned.has(dtype)) return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
  return {0, std::ldexp(1.0, bits) - 1};
}

double quantized(double quotient, double zero_point, const QuantRange& range) noexcept {
  if (std::isnan(quotient)) quotient = 0;
  return std::clamp(std::nearbyint(quotient) + zero_point, range.least, range.most);
}

QuantLayout quant_layout(const Shape& x, const Shape& scale, int64_t axis, int64_t block_size) {
  if (block_size == 0 && is_one_value(scale)) return {};
  if (block_size == 0 && scale.size() != 1) {
    throw argument_error("the scale has shape {}; without block_size it must be a scalar or a vector", to_string(scale));
  }
  const size_t at = checked_axis(axis, x.size());
  QuantLayout layout{.axis = to_size(x[at]), .inner = span_count(x, at + 1, x.size())};
  if (block_size == 0) {
    if (scale[0] != x[at]) throw argument_error("the scale has {} values, axis {} of x has {}", scale[0], at, x[at]);
    layout.axis_stride = 1;
  } else {
    Shape expected = x;
    expected[at] = x[at] / block_size + (x[at] % block_size != 0 ? 1 : 0);
    if (scale != expected) {
      throw argument_error("the scale has shape {}; blocks of {} need {}", to_string(scale), block_size, to_string(expected));
    }
    layout.block = to_size(block_size);
    layout.inner_stride = 1;
    layout.axis_stride = layout.inner;
    layout.outer_stride = layout.inner * to_size(expected[at]);
  }
  layout.axis = std::max<size_t>(layout.axis, 1);
  layout.inner = std::max<size_t>(layout.inner, 1);
  return layout;
}

bool is_one_value(const Shape& shape) noexcept { return shape.empty() || shape == Shape{1}; }

void check_one_value(const ValueFacts& facts, std::string_view name) {
  if (!is_one_value(facts.shape)) throw argument_error("{} has shape {}; it must be a scalar", name, to_string(facts.shape));
}

void check_zero_point(const ValueFacts* zero_point, const ValueFacts& scale, DType dtype) {
  if (!zero_point) return;
  if (zero_point->dtype != dtype) {
    throw argument_error("the zero point has type {}; it must be {}", type_string(zero_point->dtype), type_string(dtype));
  }
  if (zero_point->shape != scale.shape && element_count(zero_point->shape) * element_count(scale.shape) != 1) {
    throw argument_error("the zero point has shape {}, the scale {}", to_string(zero_point->shape), to_string(scale.shape));
  }
}

}  // namespace sardonyx::ops
