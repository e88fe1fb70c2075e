#include "kernels/cpu/math/activation.h"

#include <algorithm>

namespace sardonyx::kernels {

void activate(const Activation& activation, float* values, size_t size) noexcept {
  if (activation.has_bounds()) unary_line(UnaryOp::kClip, {activation.lower, activation.upper}, values, size);
  if (activation.function) unary_line(*activation.function, activation.params, values, size);
}

void activate(const Activation& activation, double* values, size_t size) noexcept {
  using Limits = std::numeric_limits<float>;
  const double lower = activation.lower > Limits::lowest() ? static_cast<double>(activation.lower) : -Limits::infinity();
  const double upper = activation.upper < Limits::max() ? static_cast<double>(activation.upper) : Limits::infinity();
  for (size_t i = 0; i < size; ++i) {
    if (values[i] < lower) values[i] = lower;
    if (values[i] > upper) values[i] = upper;
  }
  if (!activation.function) return;
  const UnaryRow& row = unary_rows()[static_cast<size_t>(*activation.function)];
  std::transform(values, values + size, values, [&](double x) { return row.oracle(x, activation.params); });
}

}  // namespace sardonyx::kernels
