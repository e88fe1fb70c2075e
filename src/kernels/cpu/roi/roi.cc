#include "kernels/cpu/roi/roi.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/cpu/window.h"

namespace sardonyx::kernels {
namespace {

// A place between two neighbouring positions of an axis.
struct Between {
  bool inside = false;
  size_t low = 0, high = 0;
  double weight = 0;  // of `high`
};

Between between(double place, size_t size) noexcept {
  const auto most = static_cast<double>(size);
  if (!(place >= -1 && place <= most)) return {};
  place = std::max(place, 0.0);
  const auto low = static_cast<size_t>(place);
  if (low + 1 >= size) return {true, size - 1, size - 1, 0};
  return {true, low, low + 1, place - static_cast<double>(low)};
}

struct Sampler {
  const RoiMaps& maps;
  bool maximum;

  // One bin that begins at (top, left) on one map.
  template <class T>
  T bin(double top, double left, double bin_height, double bin_width, const RoiAlignGrid& grid, const T* map) const noexcept {
    double sum = 0, greatest = -std::numeric_limits<double>::infinity();
    for (size_t i = 0; i < grid.y; ++i) {
      const Between v = between(top + (static_cast<double>(i) + 0.5) * bin_height / static_cast<double>(grid.y), maps.height);
      for (size_t j = 0; j < grid.x; ++j) {
        const Between h = between(left + (static_cast<double>(j) + 0.5) * bin_width / static_cast<double>(grid.x), maps.width);
        const Corners corners = v.inside && h.inside ? corners_of(v, h, map) : Corners{};
        sum += corners.sum();
        greatest = std::max(greatest, corners.greatest());
      }
    }
    const size_t count = grid.y * grid.x;
    if (count == 0) return T{0};
    return static_cast<T>(maximum ? greatest : sum / static_cast<double>(count));
  }

 private:
  struct Corners {  // weighted
    double values[4] = {};
    double sum() const noexcept { return values[0] + values[1] + values[2] + values[3]; }
    double greatest() const noexcept { return *std::max_element(values, values + 4); }
  };

  template <class T>
  Corners corners_of(const Between& v, const Between& h, const T* map) const noexcept {
    const T *upper = map + v.low * maps.width, *lower = map + v.high * maps.width;
    return {{(1 - v.weight) * (1 - h.weight) * static_cast<double>(upper[h.low]),
             (1 - v.weight) * h.weight * static_cast<double>(upper[h.high]), v.weight * (1 - h.weight) * static_cast<double>(lower[h.low]),
             v.weight * h.weight * static_cast<double>(lower[h.high])}};
  }
};

// The positions of bin `i` of `bins` over [begin, begin + extent), inside [0, size).
Range bin_range(double begin, double extent, size_t i, size_t bins, size_t size) noexcept {
  const double step = extent / static_cast<double>(bins), most = static_cast<double>(size);
  const double first = std::floor(static_cast<double>(i) * step) + begin, last = std::ceil(static_cast<double>(i + 1) * step) + begin;
  return {static_cast<size_t>(std::clamp(first, 0.0, most)), static_cast<size_t>(std::clamp(last, 0.0, most))};
}

template <class T>
T greatest_of(const Range& rows, const Range& columns, size_t width, const T* map) noexcept {
  if (rows.begin >= rows.end || columns.begin >= columns.end) return T{0};
  T greatest = -std::numeric_limits<T>::infinity();
  for (size_t i = rows.begin; i < rows.end; ++i) {
    greatest = std::max(greatest, *std::max_element(map + i * width + columns.begin, map + i * width + columns.end));
  }
  return greatest;
}

}  // namespace

template <class T>
void roi_align(const RoiMaps& m, bool maximum, size_t count, const RoiBox* boxes, const RoiAlignGrid* grids, const T* x, T* y,
               core::ThreadPool& pool) noexcept {
  const Sampler sampler = {m, maximum};
  pool.for_each(count * m.channels, [&](size_t task) {
    const RoiBox& box = boxes[task / m.channels];
    const T* map = x + (box.image * m.channels + task % m.channels) * m.height * m.width;
    T* to = y + task * m.out_height * m.out_width;
    const double height = box.height / static_cast<double>(m.out_height), width = box.width / static_cast<double>(m.out_width);
    for (size_t i = 0; i < m.out_height; ++i) {
      for (size_t j = 0; j < m.out_width; ++j) {
        *to++ = sampler.bin(box.y + static_cast<double>(i) * height, box.x + static_cast<double>(j) * width, height, width,
                            grids[task / m.channels], map);
      }
    }
  });
}

template <class T>
void roi_max(const RoiMaps& m, size_t count, const RoiBox* boxes, const T* x, T* y, core::ThreadPool& pool) noexcept {
  pool.for_each(count * m.channels, [&](size_t task) {
    const RoiBox& box = boxes[task / m.channels];
    const T* map = x + (box.image * m.channels + task % m.channels) * m.height * m.width;
    T* to = y + task * m.out_height * m.out_width;
    for (size_t i = 0; i < m.out_height; ++i) {
      const Range rows = bin_range(box.y, box.height, i, m.out_height, m.height);
      for (size_t j = 0; j < m.out_width; ++j) {
        *to++ = greatest_of(rows, bin_range(box.x, box.width, j, m.out_width, m.width), m.width, map);
      }
    }
  });
}

template void roi_align<float>(const RoiMaps&, bool, size_t, const RoiBox*, const RoiAlignGrid*, const float*, float*,
                               core::ThreadPool&) noexcept;
template void roi_align<double>(const RoiMaps&, bool, size_t, const RoiBox*, const RoiAlignGrid*, const double*, double*,
                                core::ThreadPool&) noexcept;
template void roi_max<float>(const RoiMaps&, size_t, const RoiBox*, const float*, float*, core::ThreadPool&) noexcept;
template void roi_max<double>(const RoiMaps&, size_t, const RoiBox*, const double*, double*, core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
