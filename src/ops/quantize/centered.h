// How zero points and scales lie along the lines of a matrix, and planes of bytes minus their zero point as 16-bit numbers: what products
// of quantised tensors start from.
#pragma once

#include <cstdint>

#include "ops/movement/strided.h"
#include "ops/op.h"

namespace sardonyx::ops {

// A tensor of `shape` as if it had the shape `target` (rank >= 2): one value, one for each row or column, or any shape that broadcasts.
// With `by_rows` a vector counts rows, else columns. Throws InvalidArgument, telling `name`, where it does not fit.
StridedView line_view(const Shape& shape, const Shape& target, bool by_rows, std::string_view name);

// The values of such a tensor by row (over all leading dimensions) and column.
class PerLine {
 public:
  PerLine() = default;
  PerLine(const Shape& shape, const Shape& target, bool by_rows, std::string_view name);

  // Number of the value for column `column` of row `row`.
  size_t at(size_t row, size_t column) const noexcept { return row_of(row) + column * column_step_; }
  size_t row_of(size_t row) const noexcept { return static_cast<size_t>(view_.offset(row * columns_)); }
  size_t column_step() const noexcept { return column_step_; }

 private:
  StridedView view_;
  size_t columns_ = 1, column_step_ = 0;
};

// An image as (batch, channels, size) or, with channels last, (batch, size, channels).
struct Planes {
  size_t batch = 1, channels = 1, size = 1;
  bool channels_last = false;
  size_t count() const noexcept { return batch * channels * size; }
};

// A shape as (batch, channels, spatial...) from the order with channels last, and back; without `channels_last`, as it is.
Shape channels_first(Shape shape, bool channels_last);
Shape channels_back(Shape shape, bool channels_last);

// Writes x - zero_point as (batch, channels, size). The tensors hold int8 or uint8; `zero_point` is a scalar or null.
void center_planes(const Planes& planes, const Tensor& x, const Tensor* zero_point, int16_t* to, core::ThreadPool& pool);
void center_planes(const Planes& planes, const Tensor& x, const Tensor* zero_point, float* to, core::ThreadPool& pool);

}  // namespace sardonyx::ops
