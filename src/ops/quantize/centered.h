// Bytes minus their zero points, as 16-bit numbers in scratch: what products of quantised tensors start from.
#pragma once

#include <cstdint>

#include "ops/movement/strided.h"
#include "ops/op.h"

namespace sardonyx::ops {

// One value, or one for each row or column, seen through the shape of a matrix (rank >= 2) or of an output.
class PerLine {
 public:
  PerLine() = default;
  // `shape` broadcasts to `target`. With `by_rows` a vector counts rows, else columns. Throws InvalidArgument, telling `name`.
  PerLine(const Shape& shape, const Shape& target, bool by_rows, std::string_view name);

  // Number of the value for column `column` of the row with that number over all leading dimensions.
  size_t at(size_t row, size_t column) const noexcept { return row_of(row) + column * column_step_; }
  size_t row_of(size_t row) const noexcept { return static_cast<size_t>(view_.offset(row * columns_)); }
  size_t column_step() const noexcept { return column_step_; }

 private:
  StridedView view_;
  size_t columns_ = 1, column_step_ = 0;
};

// Writes data - zero_point. The tensors hold int8 or uint8; `zero_point` may be null. `columns`: the last size of `data`.
void center(const Tensor& data, const Tensor* zero_point, const PerLine& line, size_t columns, int16_t* to, core::ThreadPool& pool);

}  // namespace sardonyx::ops
