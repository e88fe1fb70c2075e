#include "ops/quantize/centered.h"

#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

Shape as_matrix_lines(const Shape& shape, bool by_rows) {
  return by_rows && shape.size() == 1 && shape[0] != 1 ? Shape{shape[0], 1} : shape;
}

template <class T, class Zero>
void center_row(const T* from, const Zero* zero, size_t step, size_t columns, int16_t* to) noexcept {
  for (size_t i = 0; i < columns; ++i) to[i] = static_cast<int16_t>(int{from[i]} - (zero ? int{zero[i * step]} : 0));
}

template <class T>
void center_all(const Tensor& data, const Tensor* zero_point, const PerLine& line, size_t columns, int16_t* to, core::ThreadPool& pool) {
  const T* from = static_cast<const T*>(data.raw());
  const T* zero = zero_point ? static_cast<const T*>(zero_point->raw()) : nullptr;
  pool.for_each(to_size(data.numel()) / columns, [&](size_t row) {
    center_row(from + row * columns, zero ? zero + line.row_of(row) : nullptr, line.column_step(), columns, to + row * columns);
  });
}

}  // namespace

PerLine::PerLine(const Shape& shape, const Shape& target, bool by_rows, std::string_view name) {
  const Shape lines = as_matrix_lines(shape, by_rows);
  bool fits = lines.size() <= target.size();
  for (size_t i = 0; fits && i < lines.size(); ++i) {
    const int64_t size = lines[lines.size() - 1 - i];
    fits = size == 1 || size == target[target.size() - 1 - i];
  }
  if (!fits) throw argument_error("{} has shape {}, which does not fit {}", name, to_string(shape), to_string(target));
  view_ = broadcast_view(lines, target);
  if (target.empty()) return;
  columns_ = to_size(target.back());
  column_step_ = static_cast<size_t>(view_.stride.back());
}

void center(const Tensor& data, const Tensor* zero_point, const PerLine& line, size_t columns, int16_t* to, core::ThreadPool& pool) {
  if (data.numel() == 0) return;
  if (data.dtype() == DType::kInt8) {
    center_all<int8_t>(data, zero_point, line, columns, to, pool);
  } else {
    center_all<uint8_t>(data, zero_point, line, columns, to, pool);
  }
}

}  // namespace sardonyx::ops
