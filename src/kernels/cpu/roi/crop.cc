#include "kernels/cpu/roi/crop.h"

#include <cmath>

namespace sardonyx::kernels {
namespace {

// A place on an axis of the image.
template <class T>
struct Place {
  bool inside = false;
  size_t low = 0, high = 0;
  T weight = 0;  // of `high`
};

// Element `i` of `count` places from `first` to `last`, which both are met exactly; a single one lies in the middle.
template <class T>
T position(T first, T last, size_t i, size_t count, T most) noexcept {
  if (count == 1) return static_cast<T>(0.5 * static_cast<double>(first + last) * static_cast<double>(most));
  if (i == 0) return first * most;
  if (i + 1 == count) return last * most;
  return first * most + static_cast<T>(i) * ((last - first) * most / static_cast<T>(count - 1));
}

template <class T>
Place<T> place_of(T at, bool nearest, T most) noexcept {
  if (!(at >= 0 && at <= most)) return {};
  const T low = nearest ? std::round(at) : std::floor(at);
  return {true, static_cast<size_t>(low), static_cast<size_t>(nearest ? low : std::ceil(at)), nearest ? T{0} : at - low};
}

template <class T>
T sample(const T* map, size_t width, const Place<T>& v, const Place<T>& h) noexcept {
  const auto between = [&](const T* row) { return row[h.low] + (row[h.high] - row[h.low]) * h.weight; };
  const T upper = between(map + v.low * width);
  return v.weight == 0 ? upper : upper + (between(map + v.high * width) - upper) * v.weight;
}

}  // namespace

template <class T>
void crop_and_resize(const RoiMaps& m, bool nearest, T outside, size_t count, const CropBox<T>* boxes, const T* x, T* y,
                     core::ThreadPool& pool) noexcept {
  const T last_row = static_cast<T>(m.height - 1), last_column = static_cast<T>(m.width - 1);
  pool.for_each(count * m.channels, [&](size_t task) {
    const CropBox<T>& box = boxes[task / m.channels];
    const T* map = x + (box.image * m.channels + task % m.channels) * m.height * m.width;
    T* to = y + task * m.out_height * m.out_width;
    for (size_t i = 0; i < m.out_height; ++i) {
      const Place<T> v = place_of(position(box.top, box.bottom, i, m.out_height, last_row), nearest, last_row);
      for (size_t j = 0; j < m.out_width; ++j) {
        const Place<T> h = place_of(position(box.left, box.right, j, m.out_width, last_column), nearest, last_column);
        *to++ = v.inside && h.inside ? sample(map, m.width, v, h) : outside;
      }
    }
  });
}

template void crop_and_resize<float>(const RoiMaps&, bool, float, size_t, const CropBox<float>*, const float*, float*,
                                     core::ThreadPool&) noexcept;
template void crop_and_resize<double>(const RoiMaps&, bool, double, size_t, const CropBox<double>*, const double*, double*,
                                      core::ThreadPool&) noexcept;

}  // namespace sardonyx::kernels
