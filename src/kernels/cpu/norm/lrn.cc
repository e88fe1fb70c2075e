#include "kernels/cpu/norm/lrn.h"

#include <algorithm>
#include <cmath>

namespace sardonyx::kernels {
namespace {

constexpr size_t kRun = 256;

// `count` (<= kRun) pixels of channel c; x and y point to the pixels' values in channel 0 of the sample.
template <class T>
void lrn_run(const LrnShape& shape, const LrnFactors& factors, size_t c, size_t count, const T* x, T* y) noexcept {
  double sums[kRun] = {};
  const size_t first = c - std::min(c, shape.before), last = std::min(c + shape.after, shape.channels - 1);
  for (size_t other = first; other <= last; ++other) {
    const T* values = x + other * shape.inner;
    for (size_t i = 0; i < count; ++i) sums[i] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  }
  for (size_t i = 0; i < count; ++i) {
    const double base = factors.bias + factors.alpha * sums[i];
    y[c * shape.inner + i] = static_cast<T>(static_cast<double>(x[c * shape.inner + i]) / std::pow(base, factors.beta));
  }
}

template <class T>
void lrn_of(const LrnShape& shape, const LrnFactors& factors, const T* x, T* y, core::ThreadPool& pool) noexcept {
  const size_t runs = (shape.inner + kRun - 1) / kRun;
  pool.for_ranges(
      shape.batch * shape.channels * runs, std::max<size_t>(1, 1024 / std::max<size_t>(shape.inner, 1)), [&](size_t begin, size_t end) {
        for (size_t item = begin; item < end; ++item) {
          const size_t first = item % runs * kRun, plane = item / runs;
          const size_t sample = plane / shape.channels * shape.channels * shape.inner;
          lrn_run(shape, factors, plane % shape.channels, std::min(kRun, shape.inner - first), x + sample + first, y + sample + first);
        }
      });
}

}  // namespace

void lrn(const LrnShape& shape, const LrnFactors& factors, const float* x, float* y, core::ThreadPool& pool) noexcept {
  lrn_of(shape, factors, x, y, pool);
}
void lrn(const LrnShape& shape, const LrnFactors& factors, const double* x, double* y, core::ThreadPool& pool) noexcept {
  lrn_of(shape, factors, x, y, pool);
}

}  // namespace sardonyx::kernels
