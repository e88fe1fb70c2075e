#include "image/axis_weights.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace sardonyx::image {
namespace {

// A product, rounded before it is added to anything: a fused multiply-add would round once only and so part from Pillow's weights.
double rounded(double product) {
  volatile double stored = product;
  return stored;
}

double box(double x) { return x > -0.5 && x <= 0.5 ? 1.0 : 0.0; }

double bilinear(double x) { return std::max(1.0 - std::abs(x), 0.0); }

double hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  return std::sin(x) / x * (double{0.54F} + rounded(double{0.46F} * std::cos(x)));
}

// Keys' cubic convolution with a = -0.5.
double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return rounded((rounded((kA + 2.0) * x) - (kA + 3.0)) * x * x) + 1.0;
  if (x < 2.0) return (rounded((rounded((x - 5.0) * x) + 8.0) * x) - 4.0) * kA;
  return 0.0;
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) { return x >= -3.0 && x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0; }

struct Kernel {
  double (*value)(double);
  double support;  // value is 0 further than this from 0
};

Kernel kernel_of(Filter filter) {
  switch (filter) {
    case Filter::kBox:
      return {box, 0.5};
    case Filter::kBilinear:
      return {bilinear, 1.0};
    case Filter::kHamming:
      return {hamming, 1.0};
    case Filter::kBicubic:
      return {bicubic, 2.0};
    default:
      return {lanczos, 3.0};
  }
}

}  // namespace

AxisWeights axis_weights(int in_size, int out_size, Filter filter) {
  const Kernel kernel = kernel_of(filter);
  const double scale = double(in_size) / out_size;
  const double widening = std::max(scale, 1.0);
  const double support = rounded(kernel.support * widening);
  const double inverse = 1.0 / widening;
  AxisWeights axis;
  axis.stride = static_cast<int>(std::ceil(support)) * 2 + 1;
  axis.windows.resize(static_cast<size_t>(out_size));
  axis.weights.resize(static_cast<size_t>(out_size) * static_cast<size_t>(axis.stride));
  double* weights = axis.weights.data();
  for (int i = 0; i < out_size; ++i, weights += axis.stride) {
    const double center = rounded((i + 0.5) * scale);
    const int first = std::max(static_cast<int>(center - support + 0.5), 0);
    const int count = std::min(static_cast<int>(center + support + 0.5), in_size) - first;
    double sum = 0.0;
    for (int k = 0; k < count; ++k) {
      weights[k] = kernel.value((k + first - center + 0.5) * inverse);
      sum += weights[k];
    }
    for (int k = 0; k < count && sum != 0.0; ++k) weights[k] /= sum;
    axis.windows[static_cast<size_t>(i)] = {first, count};
  }
  return axis;
}

std::vector<int> nearest_sources(int in_size, int out_size) {
  const double step = double(in_size) / out_size;
  double position = step * 0.5;
  std::vector<int> sources(static_cast<size_t>(out_size));
  for (int& source : sources) {
    source = std::min(static_cast<int>(position), in_size - 1);
    position += step;
  }
  return sources;
}

}  // namespace sardonyx::image
