#include "ops/quantize/centered.h"

#include <algorithm>

#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

constexpr size_t kRun = 64;  // positions of a plane at a time: their bytes of all channels stay in the nearest cache

template <class T, class To>
void center_run(const Planes& planes, const T* from, T zero, size_t first, size_t count, To* to) noexcept {
  for (size_t c = 0; c < planes.channels; ++c) {
    To* at = to + c * planes.size + first;
    if (planes.channels_last) {
      for (size_t i = 0; i < count; ++i) at[i] = static_cast<To>(from[(first + i) * planes.channels + c] - zero);
    } else {
      const T* plane = from + c * planes.size + first;
      for (size_t i = 0; i < count; ++i) at[i] = static_cast<To>(plane[i] - zero);
    }
  }
}

template <class T, class To>
void center_all(const Planes& planes, const Tensor& x, const Tensor* zero_point, To* to, core::ThreadPool& pool) {
  const T* from = static_cast<const T*>(x.raw());
  const T zero = zero_point ? *static_cast<const T*>(zero_point->raw()) : T{0};
  const size_t image = planes.channels * planes.size;
  if (!planes.channels_last) {
    const Planes one = {.size = planes.count()};
    return pool.for_ranges(one.size, size_t{1} << 14,
                           [&](size_t begin, size_t end) { center_run(one, from, zero, begin, end - begin, to); });
  }
  const size_t runs = (planes.size + kRun - 1) / kRun;
  pool.for_each(planes.batch * runs, [&](size_t task) {
    const size_t first = task % runs * kRun, start = task / runs * image;
    center_run(planes, from + start, zero, first, std::min(kRun, planes.size - first), to + start);
  });
}

template <class To>
void center_any(const Planes& planes, const Tensor& x, const Tensor* zero_point, To* to, core::ThreadPool& pool) {
  if (planes.count() == 0) return;
  if (x.dtype() == DType::kInt8) {
    center_all<int8_t>(planes, x, zero_point, to, pool);
  } else {
    center_all<uint8_t>(planes, x, zero_point, to, pool);
  }
}

}  // namespace

StridedView line_view(const Shape& shape, const Shape& target, bool by_rows, std::string_view name) {
  const Shape lines = by_rows && shape.size() == 1 && shape[0] != 1 ? Shape{shape[0], 1} : shape;
  bool fits = lines.size() <= target.size();
  for (size_t i = 0; fits && i < lines.size(); ++i) {
    const int64_t size = lines[lines.size() - 1 - i];
    fits = size == 1 || size == target[target.size() - 1 - i];
  }
  if (!fits) throw argument_error("{} has shape {}, which does not fit {}", name, to_string(shape), to_string(target));
  return broadcast_view(lines, target);
}

PerLine::PerLine(const Shape& shape, const Shape& target, bool by_rows, std::string_view name)
    : view_(line_view(shape, target, by_rows, name)) {
  if (target.empty()) return;
  columns_ = to_size(target.back());
  column_step_ = static_cast<size_t>(view_.stride.back());
}

Shape channels_first(Shape shape, bool channels_last) {
  if (channels_last && shape.size() > 1) std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  return shape;
}
Shape channels_back(Shape shape, bool channels_last) {
  if (channels_last && shape.size() > 1) std::rotate(shape.begin() + 1, shape.begin() + 2, shape.end());
  return shape;
}

void center_planes(const Planes& planes, const Tensor& x, const Tensor* zero_point, int16_t* to, core::ThreadPool& pool) {
  center_any(planes, x, zero_point, to, pool);
}
void center_planes(const Planes& planes, const Tensor& x, const Tensor* zero_point, float* to, core::ThreadPool& pool) {
  center_any(planes, x, zero_point, to, pool);
}

}  // namespace sardonyx::ops
