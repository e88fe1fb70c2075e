// Indices that choose elements: checked before anything is read or written through them. Negative ones count from the end.
#pragma once

#include <span>
#include <string>

#include "ops/facts.h"

namespace sardonyx::ops {

// Throws InvalidArgument for an index outside [-size, size).
void check_indices(const Tensor& indices, size_t size, size_t axis);

constexpr size_t from_front(int64_t index, int64_t size) noexcept { return to_size(index < 0 ? index + size : index); }

// Tensors of indices, data and updates (or results) of GatherElements and ScatterElements: which element of the data meets element j of a
// row of the indices.
class AxisLines {
 public:
  // Throws InvalidArgument where the indices do not fit the data.
  AxisLines(const Shape& data, const Shape& indices, int64_t axis);

  size_t axis() const noexcept { return axis_; }
  size_t axis_size() const noexcept { return to_size(axis_size_); }
  size_t rows() const noexcept { return rows_; }
  size_t row_size() const noexcept { return row_size_; }
  // Rows that share an index of dimension 0 lie together; the data they reach are disjoint from others' if this is not the axis.
  size_t independent_rows() const noexcept { return axis_ == 0 ? rows_ : rows_per_first_; }
  // Where the data of a row begin, at index 0 of the axis.
  size_t row_base(size_t row) const noexcept;
  size_t offset(size_t base, size_t j, int64_t index) const noexcept {
    return base + j * step_ + from_front(index, axis_size_) * axis_stride_;
  }

 private:
  Shape row_shape_;             // the indices', without the last dimension
  std::vector<size_t> stride_;  // the data's, 0 for the axis
  size_t axis_ = 0;
  int64_t axis_size_ = 1;
  size_t axis_stride_ = 1, step_ = 1;
  size_t rows_ = 1, row_size_ = 1, rows_per_first_ = 1;
};

// Tuples of indices of GatherND and ScatterND, each of which chooses a slice of the data.
struct TupleGeometry {
  size_t batches = 1, tuples_per_batch = 1, length = 0;
  size_t batch_stride = 1, slice = 1;  // elements
  Shape sizes;                         // of the dimensions that a tuple indexes
  size_t first_dim = 0;                // number of the first of them
  Shape slices;                        // the shape of all slices together
  size_t tuples() const noexcept { return batches * tuples_per_batch; }
};
// Throws InvalidArgument where the shapes do not fit.
TupleGeometry tuple_geometry(const Shape& data, const Shape& indices, int64_t batch_dims);

// Writes where each tuple's slice begins. Throws InvalidArgument for an index outside its dimension.
void tuple_offsets(const TupleGeometry& geometry, const Tensor& indices, size_t* offsets);

}  // namespace sardonyx::ops
