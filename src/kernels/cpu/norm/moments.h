// Sums over runs of numbers in double, in one fixed order: what means and variances are made of.
#pragma once

#include <cstddef>

namespace sardonyx::kernels {

double sum(const float* x, size_t size) noexcept;
double sum(const double* x, size_t size) noexcept;

// Sum of (x[i] - center)^2.
double sum_square_apart(const float* x, size_t size, double center) noexcept;
double sum_square_apart(const double* x, size_t size, double center) noexcept;

}  // namespace sardonyx::kernels
