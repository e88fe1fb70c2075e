// Tensors as lines along one axis: what Softmax, Hardmax, CumSum, TopK and their like work on, line by line.
#pragma once

#include <functional>

#include "ops/op.h"

namespace sardonyx::ops {

// A tensor as (outer, size, inner); a line has `size` elements, `inner` apart.
struct Lines {
  size_t outer = 1, size = 1, inner = 1;
  size_t count() const noexcept { return outer * inner; }
  // The number of the first element of line i.
  size_t start(size_t i) const noexcept { return i / inner * size * inner + i % inner; }
};

Lines lines_of(const Shape& x, size_t axis) noexcept;
// Along one axis, or along all dimensions from the axis on, which then count as one and where the axis may be the rank itself. A scalar is
// one line of one element. Throws InvalidArgument for an axis outside the rank.
Lines lines_along(const Shape& x, int64_t axis, bool to_the_end);

// Works on `rows` rows of `size` elements that follow each other; y may be x.
using RowsFunction = std::function<void(size_t rows, size_t size, const void* x, void* y, core::ThreadPool& pool)>;

// One row of `size` elements; y may be x.
using RowFunction = std::function<void(size_t size, const std::byte* x, std::byte* y)>;
// Rows of elements of that type, in parallel.
RowsFunction each_row(DType dtype, RowFunction function);

// Output 0 from input 0, of the same type: rows as they lie in memory, or else an axis that is brought to the end in scratch, and back.
std::unique_ptr<Bound> bind_rows(ValueFacts y, const Lines& lines, RowsFunction function);

}  // namespace sardonyx::ops
