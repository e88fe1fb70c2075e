#include "kernels/cpu/elimination/elimination.h"

#include <algorithm>
#include <cmath>

#include "core/interrupt.h"

namespace sardonyx::kernels {
namespace {

// to -= factor * from
void subtract(double factor, const double* from, double* to, size_t count) noexcept {
  for (size_t i = 0; i < count; ++i) to[i] -= factor * from[i];
}

}  // namespace

double eliminate(double* a, size_t n, double* b, size_t columns) noexcept {
  double sign = 1;
  core::InterruptGate interrupt;
  for (size_t step = 0; step < n; ++step) {
    size_t pivot = step;
    for (size_t row = step + 1; row < n; ++row) {
      if (std::abs(a[row * n + step]) > std::abs(a[pivot * n + step])) pivot = row;
    }
    if (a[pivot * n + step] == 0) return 0;
    if (pivot != step) {
      std::swap_ranges(a + pivot * n + step, a + (pivot + 1) * n, a + step * n + step);
      std::swap_ranges(b + pivot * columns, b + (pivot + 1) * columns, b + step * columns);
      sign = -sign;
    }
    for (size_t row = step + 1; row < n; ++row) {
      if (interrupt.stopped()) return 0;
      const double factor = a[row * n + step] / a[step * n + step];
      if (factor == 0) continue;
      subtract(factor, a + step * n + step, a + row * n + step, n - step);
      subtract(factor, b + step * columns, b + row * columns, columns);
    }
  }
  return sign;
}

void substitute_back(const double* a, size_t n, double* b, size_t columns) noexcept {
  core::InterruptGate interrupt;
  for (size_t step = n; step-- > 0 && !interrupt.stopped();) {
    double* row = b + step * columns;
    for (size_t other = step + 1; other < n; ++other) subtract(a[step * n + other], b + other * columns, row, columns);
    for (size_t i = 0; i < columns; ++i) row[i] /= a[step * n + step];
  }
}

}  // namespace sardonyx::kernels
