#include "ops/gather/indices.h"

#include <algorithm>

#include "core/interrupt.h"

namespace sardonyx::ops {

void check_indices(const Tensor& indices, size_t size, size_t axis) {
  const IndexView values(indices);
  const int64_t end = to_int(size);
  core::InterruptCounter interrupt;
  for (size_t i = 0; i < to_size(indices.numel()); ++i) {
    interrupt.step();
    if (values[i] < -end || values[i] >= end) throw argument_error("index {} is outside axis {} of size {}", values[i], axis, size);
  }
}

AxisLines::AxisLines(const Shape& data, const Shape& indices, int64_t axis) {
  if (data.empty()) throw argument_error("data is a scalar; it must have an axis");
  if (data.size() != indices.size()) {
    throw argument_error("indices have shape {}, data {}: the ranks must be equal", to_string(indices), to_string(data));
  }
  axis_ = checked_axis(axis, data.size());
  for (size_t i = 0; i < data.size(); ++i) {
    if (i == axis_ || indices[i] <= data[i]) continue;
    throw argument_error("indices of shape {} exceed data of shape {} in dimension {}", to_string(indices), to_string(data), i);
  }
  const size_t last = data.size() - 1;
  stride_.resize(data.size());
  for (size_t i = 0; i < data.size(); ++i) stride_[i] = i == axis_ ? 0 : span_count(data, i + 1, data.size());
  axis_size_ = data[axis_];
  axis_stride_ = span_count(data, axis_ + 1, data.size());
  step_ = stride_[last];
  row_shape_.assign(indices.begin(), indices.end() - 1);
  row_size_ = to_size(indices[last]);
  rows_ = element_count(indices) == 0 ? 0 : span_count(indices, 0, last);
  rows_per_first_ = rows_ == 0 || last == 0 ? rows_ : rows_ / to_size(indices[0]);
}

size_t AxisLines::row_base(size_t row) const noexcept {
  size_t base = 0;
  for (size_t i = row_shape_.size(); i-- > 0;) {
    const size_t size = to_size(row_shape_[i]);
    base += row % size * stride_[i];
    row /= size;
  }
  return base;
}

TupleGeometry tuple_geometry(const Shape& data, const Shape& indices, int64_t batch_dims) {
  if (data.empty() || indices.empty()) throw argument_error("data and indices must have at least one dimension");
  const auto least_rank = to_int(std::min(data.size(), indices.size()));
  if (batch_dims < 0 || batch_dims >= least_rank) throw argument_error("batch_dims {} is outside [0, {})", batch_dims, least_rank);
  const size_t batch = to_size(batch_dims), last = indices.size() - 1;
  if (!std::equal(data.begin(), data.begin() + batch_dims, indices.begin())) {
    throw argument_error("data {} and indices {} differ in their first {} dimensions", to_string(data), to_string(indices), batch);
  }
  const int64_t length = indices[last];
  if (length < 1 || length > to_int(data.size() - batch)) {
    throw argument_error("the last dimension of indices {} must be in [1, {}], one number for each dimension of data that is indexed",
                         to_string(indices), data.size() - batch);
  }
  const size_t end = batch + to_size(length);
  TupleGeometry g = {.batches = span_count(data, 0, batch),
                     .tuples_per_batch = span_count(indices, batch, last),
                     .length = to_size(length),
                     .batch_stride = span_count(data, batch, data.size()),
                     .slice = span_count(data, end, data.size()),
                     .sizes = Shape(data.begin() + batch_dims, data.begin() + to_int(end)),
                     .first_dim = batch,
                     .slices = Shape(indices.begin(), indices.end() - 1)};
  g.slices.insert(g.slices.end(), data.begin() + to_int(end), data.end());
  return g;
}

void tuple_offsets(const TupleGeometry& g, const Tensor& indices, size_t* offsets) {
  const IndexView values(indices);
  core::InterruptCounter interrupt;
  for (size_t t = 0; t < g.tuples(); ++t) {
    interrupt.step();
    size_t place = 0;
    for (size_t d = 0; d < g.length; ++d) {
      const int64_t index = values[t * g.length + d], size = g.sizes[d];
      if (index < -size || index >= size) {
        throw argument_error("index {} of tuple {} is outside dimension {} of size {}", index, t, g.first_dim + d, size);
      }
      place = place * to_size(size) + from_front(index, size);
    }
    offsets[t] = t / g.tuples_per_batch * g.batch_stride + place * g.slice;
  }
}

}  // namespace sardonyx::ops
