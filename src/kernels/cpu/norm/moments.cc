#include "kernels/cpu/norm/moments.h"

#include <array>

namespace sardonyx::kernels {
namespace {

// Partial sums side by side, which compilers turn into vectors.
template <class T, class Map>
double fold(const T* x, size_t size, const Map& map) noexcept {
  constexpr size_t kLanes = 16;
  std::array<double, kLanes> lanes = {};
  size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += map(static_cast<double>(x[i + lane]));
  }
  for (size_t lane = 0; i < size; ++i, ++lane) lanes[lane] += map(static_cast<double>(x[i]));
  double result = 0;
  for (const double lane : lanes) result += lane;
  return result;
}

template <class T>
double fold_square_apart(const T* x, size_t size, double center) noexcept {
  return fold(x, size, [center](double value) { return (value - center) * (value - center); });
}

}  // namespace

double sum(const float* x, size_t size) noexcept {
  return fold(x, size, [](double value) { return value; });
}
double sum(const double* x, size_t size) noexcept {
  return fold(x, size, [](double value) { return value; });
}
double sum_square_apart(const float* x, size_t size, double center) noexcept { return fold_square_apart(x, size, center); }
double sum_square_apart(const double* x, size_t size, double center) noexcept { return fold_square_apart(x, size, center); }

}  // namespace sardonyx::kernels
