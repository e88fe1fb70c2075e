#include "kernels/cpu/resample/grid_sample.h"

#include <algorithm>
#include <cmath>

namespace sardonyx::kernels {
namespace {

constexpr double kFar = 1e9;  // beyond every tensor; differences of such places are still exact
constexpr double kCubicA = -0.75;

// The taps along one dimension; offset kOutside: in the padding of zeros.
constexpr size_t kOutside = static_cast<size_t>(-1);
struct LineTaps {
  size_t count = 0;
  std::array<size_t, 4> positions;
  std::array<double, 4> weights;
};

double reflect(double x, double low, double high) noexcept {
  const double range = high - low;
  if (range <= 0) return low;
  if (x >= low && x <= high) return x;
  const bool below = x < low;
  const double distance = below ? low - x : x - high, turns = std::floor(distance / range), rest = distance - turns * range;
  const bool from_near_border = std::fmod(turns, 2) == 0;
  return below == from_near_border ? low + rest : high - rest;
}

struct Line {
  GridPadding padding;
  double low, high;  // the borders that reflect
  size_t size;

  double settle(double x) const noexcept {
    if (x >= low && x <= high) return x;
    if (padding == GridPadding::kBorder) return std::clamp(x, 0.0, static_cast<double>(size - 1));
    return padding == GridPadding::kReflection ? reflect(x, low, high) : x;
  }

  size_t position(double x) const noexcept {
    const auto most = static_cast<double>(size - 1);
    if (padding == GridPadding::kZeros && !(x >= 0 && x <= most)) return kOutside;
    if (padding == GridPadding::kReflection) x = reflect(x, low, high);
    return static_cast<size_t>(std::clamp(x, 0.0, most));
  }

  LineTaps taps(GridMode mode, double x) const noexcept {
    LineTaps result;
    if (mode == GridMode::kNearest) {
      result.count = 1;
      result.positions[0] = position(settle(std::nearbyint(x)));
      result.weights[0] = 1;
      return result;
    }
    // Each tap of a cubic meets the border by itself: the curve goes on beyond it.
    if (mode == GridMode::kLinear) x = settle(x);
    const double base = std::floor(x), t = x - base;
    result.count = mode == GridMode::kLinear ? 2 : 4;
    const double first = mode == GridMode::kLinear ? base : base - 1;
    for (size_t i = 0; i < result.count; ++i) result.positions[i] = position(first + static_cast<double>(i));
    if (mode == GridMode::kLinear) {
      result.weights = {1 - t, t};
    } else {
      result.weights = {outer_weight(1 + t), inner_weight(t), inner_weight(1 - t), outer_weight(2 - t)};
    }
    return result;
  }

 private:
  static double inner_weight(double x) noexcept { return ((kCubicA + 2) * x - (kCubicA + 3)) * x * x + 1; }
  static double outer_weight(double x) noexcept { return ((kCubicA * x - 5 * kCubicA) * x + 8 * kCubicA) * x - 4 * kCubicA; }
};

// Products of the taps of all dimensions, outermost first.
void combine(const GridShape& shape, const std::array<LineTaps, kMaxGridRank>& lines, GridTaps& taps) noexcept {
  taps.count = 1;
  taps.offsets[0] = 0;
  taps.weights[0] = 1;
  for (size_t i = 0; i < shape.rank; ++i) {
    const size_t before = taps.count;
    std::array<size_t, kMaxGridTaps> offsets;
    std::array<double, kMaxGridTaps> weights;
    size_t count = 0;
    for (size_t j = 0; j < before; ++j) {
      for (size_t k = 0; k < lines[i].count; ++k) {
        if (lines[i].positions[k] == kOutside) continue;
        offsets[count] = taps.offsets[j] * shape.sizes[i] + lines[i].positions[k];
        weights[count++] = taps.weights[j] * lines[i].weights[k];
      }
    }
    std::copy_n(offsets.begin(), count, taps.offsets.begin());
    std::copy_n(weights.begin(), count, taps.weights.begin());
    taps.count = count;
  }
}

Line line_of(const GridShape& shape, size_t i) noexcept {
  const auto size = static_cast<double>(shape.sizes[i]);
  return {shape.padding, shape.align_corners ? 0.0 : -0.5, shape.align_corners ? size - 1 : size - 0.5, shape.sizes[i]};
}

}  // namespace

template <class T>
void grid_taps(const GridShape& shape, const T* place, GridTaps& taps) noexcept {
  std::array<LineTaps, kMaxGridRank> lines;
  for (size_t i = 0; i < shape.rank; ++i) {
    const T size = static_cast<T>(shape.sizes[i]), n = place[shape.rank - 1 - i];
    const auto x = static_cast<double>(shape.align_corners ? (n + 1) / 2 * (size - 1) : ((n + 1) * size - 1) / 2);
    lines[i] = line_of(shape, i).taps(shape.mode, std::isnan(x) ? -kFar : std::clamp(x, -kFar, kFar));
  }
  combine(shape, lines, taps);
}

void position_taps(const GridShape& shape, const double* place, GridTaps& taps) noexcept {
  std::array<LineTaps, kMaxGridRank> lines;
  for (size_t i = 0; i < shape.rank; ++i) {
    lines[i] = line_of(shape, i).taps(GridMode::kLinear, std::isnan(place[i]) ? -kFar : std::clamp(place[i], -kFar, kFar));
  }
  combine(shape, lines, taps);
}

template void grid_taps<float>(const GridShape&, const float*, GridTaps&) noexcept;
template void grid_taps<double>(const GridShape&, const double*, GridTaps&) noexcept;

}  // namespace sardonyx::kernels
