// What the operators of quantisation share: the place of the scale of each element, ranges of types, zero points and scales as numbers.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "ops/facts.h"
#include "ops/op.h"

namespace sardonyx::ops {

inline constexpr DTypeSet kFloat8Kinds = {DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ};
inline constexpr DTypeSet kBytes = {DType::kInt8, DType::kUInt8};
inline constexpr DTypeSet kQuantizedIntegers = {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16,
                                                DType::kInt4, DType::kUInt4, DType::kInt2,  DType::kUInt2};
inline constexpr DTypeSet kQuantized = kQuantizedIntegers | kFloat8Kinds | DTypeSet{DType::kFloat4E2M1};

struct QuantRange {
  double least, most;
};
// Of one of kQuantizedIntegers.
QuantRange quant_range(DType dtype) noexcept;

// x / scale + zero point, rounded and within the range: the quotient is rounded to the nearest even. NaN becomes the zero point.
double quantized(double quotient, double zero_point, const QuantRange& range) noexcept;

// Which scale belongs to which element: that with number outer * outer_stride + axis position / block * axis_stride + inner * inner_stride,
// where the tensor is seen as (outer, axis, inner).
struct QuantLayout {
  size_t axis = 1, inner = 1, block = 1;
  size_t outer_stride = 0, axis_stride = 0, inner_stride = 0;
  bool has_one_scale() const noexcept { return outer_stride == 0 && axis_stride == 0 && inner_stride == 0; }
};
// By the shape of the scale: one for all, one for each position of the axis, or with block_size > 0 one for each block of the axis.
QuantLayout quant_layout(const Shape& x, const Shape& scale, int64_t axis, int64_t block_size);

// Calls visit(i, scale number) for the elements [first, first + count), i counting from 0.
template <class Visit>
void visit_scales(const QuantLayout& layout, size_t first, size_t count, const Visit& visit) {
  size_t inner = first % layout.inner, axis = first / layout.inner % layout.axis, outer = first / layout.inner / layout.axis;
  for (size_t i = 0; i < count; ++i) {
    visit(i, outer * layout.outer_stride + axis / layout.block * layout.axis_stride + inner * layout.inner_stride);
    if (++inner < layout.inner) continue;
    inner = 0;
    if (++axis < layout.axis) continue;
    axis = 0;
    ++outer;
  }
}

// Calls run.template operator()<T>() with int8_t or uint8_t.
template <class Run>
void with_byte(DType dtype, const Run& run) {
  if (dtype == DType::kInt8) {
    run.template operator()<int8_t>();
  } else {
    run.template operator()<uint8_t>();
  }
}

// A scalar, or a vector of one value; check_one_value throws InvalidArgument, telling `name`.
bool is_one_value(const Shape& shape) noexcept;
void check_one_value(const ValueFacts& facts, std::string_view name);

// Scale and zero point of uint8 that cover the range of x and 0, as DynamicQuantizeLinear chooses them.
struct DynamicScale {
  float scale = 1;
  uint8_t zero = 0;
};
DynamicScale dynamic_scale(std::span<const float> x) noexcept;
void quantize_bytes(const DynamicScale& scale, std::span<const float> x, uint8_t* bytes, core::ThreadPool& pool) noexcept;

// Zero point and scale have one shape; a zero point may be left out (null).
void check_zero_point(const ValueFacts* zero_point, const ValueFacts& scale, DType dtype);

}  // namespace sardonyx::ops
