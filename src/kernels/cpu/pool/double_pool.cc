#include <limits>

#include "core/interrupt.h"
#include "kernels/cpu/line_tasks.h"
#include "kernels/cpu/pool/pool.h"

namespace sardonyx::kernels {
namespace {

constexpr size_t kValuesPerTask = 1 << 15;
constexpr size_t kLanes = 8;
constexpr size_t kLongRow = 1024;  // values, from which on a row may take so long that it is asked whether the run is to end

// Sums side by side, which keeps their errors small in long lines.
double sum_of(const double* x, size_t size) noexcept {
  double lanes[kLanes] = {};
  core::in_pieces(size, kValuesPerTask, [&](size_t begin, size_t count) {
    size_t i = begin;
    for (; i + kLanes <= begin + count; i += kLanes) {
      for (size_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j];
    }
    for (size_t j = 0; i < begin + count; ++i, ++j) lanes[j] += x[i];
  });
  return ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
}

// NaN wins.
double greatest_of(const double* x, size_t size) noexcept {
  double greatest = -std::numeric_limits<double>::infinity();
  core::in_pieces(size, kValuesPerTask, [&](size_t begin, size_t count) {
    for (size_t i = begin; i < begin + count && greatest == greatest; ++i) {
      if (!(x[i] <= greatest)) greatest = x[i];
    }
  });
  return greatest;
}

// The sum of the cells that lie `steps` apart, `counts` of them in each dimension, from (at[0], at[1], at[2]) on.
double sum_of_box(const Window& w, const double* plane, const Extents& at, const Extents& counts, const Extents& steps) noexcept {
  double sum = 0;
  for (size_t d = 0; d < counts[0]; ++d) {
    for (size_t h = 0; h < counts[1] && !(counts[2] >= kLongRow && core::interrupted()); ++h) {
      const double* row = plane + ((at[0] + d * steps[0]) * w.in[1] + at[1] + h * steps[1]) * w.in[2] + at[2];
      for (size_t v = 0; v < counts[2]; ++v) sum += row[v * steps[2]];
    }
  }
  return sum;
}

// The mean of the window at one output; `padded` as pad_end, or null where padding does not count.
double mean_of_window(const Window& w, const Extents* padded, const double* plane, const Extents& out) noexcept {
  Extents at = {0, 0, 0}, counts = {0, 0, 0};
  size_t divisor = 1, inside = 1;
  for (size_t i = 0; i < kMaxSpatial; ++i) {
    const Range taps = taps_inside(w, i, out[i]);
    counts[i] = taps.size();
    inside *= taps.size();
    divisor *= padded ? padded_taps(w, *padded, i, out[i]) : taps.size();
    if (taps.size() > 0) at[i] = static_cast<size_t>(w.origin(i, out[i]) + static_cast<ptrdiff_t>(taps.begin * w.dilation[i]));
  }
  const double sum = inside > 0 ? sum_of_box(w, plane, at, counts, w.dilation) : 0.0;
  return sum / static_cast<double>(divisor);
}

double mean_of_cell(const Window& w, const double* plane, const Extents& out) noexcept {
  Extents at = {0, 0, 0}, counts = {0, 0, 0};
  size_t inside = 1;
  for (size_t i = 0; i < kMaxSpatial; ++i) {
    const Range cell = adaptive_cell(w, i, out[i]);
    at[i] = cell.begin;
    counts[i] = cell.size();
    inside *= cell.size();
  }
  return sum_of_box(w, plane, at, counts, {1, 1, 1}) / static_cast<double>(inside);
}

// y = value(plane of x, output position) for all outputs of all planes.
template <class Value>
void for_outputs(const Window& w, size_t planes, const double* x, double* y, core::ThreadPool& pool, const Value& value) noexcept {
  const LineTasks tasks(w, planes);
  pool.for_each(tasks.count(), [&](size_t task) {
    const size_t plane = tasks.plane(task);
    const double* from = x + plane * w.in_size();
    double* to = y + plane * w.out_size();
    const LineRange range = tasks.range(task);
    for (size_t line = range.first_line; line < range.last_line; ++line) {
      for (size_t v = range.first_column; v < range.last_column; ++v)
        to[line * w.out[2] + v] = value(from, Extents{line / w.out[1], line % w.out[1], v});
    }
  });
}

template <class Value>
void for_planes(size_t planes, size_t size, const double* x, double* y, core::ThreadPool& pool, const Value& value) noexcept {
  pool.for_ranges(planes, kValuesPerTask / std::max<size_t>(size, 1), [&](size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) y[i] = value(x + i * size);
  });
}

}  // namespace

void average_pool(const PoolShape& shape, bool count_include_pad, const double* x, double* y, core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  const Extents pad_end = pad_end_with_three_dims(shape);
  for_outputs(window, shape.planes, x, y, pool, [&](const double* plane, const Extents& out) {
    return mean_of_window(window, count_include_pad ? &pad_end : nullptr, plane, out);
  });
}

void adaptive_average_pool(const PoolShape& shape, const double* x, double* y, core::ThreadPool& pool) noexcept {
  const Window window = shape.window.with_three_dims();
  for_outputs(window, shape.planes, x, y, pool, [&](const double* plane, const Extents& out) { return mean_of_cell(window, plane, out); });
}

void global_average_pool(size_t planes, size_t size, const double* x, double* y, core::ThreadPool& pool) noexcept {
  for_planes(planes, size, x, y, pool, [size](const double* plane) { return sum_of(plane, size) / static_cast<double>(size); });
}

void global_max_pool(size_t planes, size_t size, const double* x, double* y, core::ThreadPool& pool) noexcept {
  for_planes(planes, size, x, y, pool, [size](const double* plane) { return greatest_of(plane, size); });
}

}  // namespace sardonyx::kernels
