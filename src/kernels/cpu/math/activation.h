// The function that a product, a convolution or a sum applies to what it has just computed, while that is still in the nearest cache.
#pragma once

#include <limits>
#include <optional>

#include "kernels/cpu/math/unary.h"

namespace sardonyx::kernels {

// y = function(min(max(x, lower), upper)); NaN passes through the bounds.
struct Activation {
  float lower = -std::numeric_limits<float>::infinity();
  float upper = std::numeric_limits<float>::infinity();
  std::optional<UnaryOp> function = {};
  UnaryParams params = {};

  static constexpr Activation none() { return {}; }
  static constexpr Activation relu() { return {.lower = 0.0f}; }
  static constexpr Activation clip(float lower, float upper) { return {.lower = lower, .upper = upper}; }
  static constexpr Activation of(UnaryOp function, UnaryParams params) { return {.function = function, .params = params}; }

  constexpr bool is_any() const noexcept { return function || has_bounds(); }
  constexpr bool has_bounds() const noexcept {
    return lower > -std::numeric_limits<float>::infinity() || upper < std::numeric_limits<float>::infinity();
  }
};

// Applies all of it in place, on the calling thread. Floats take the bits of unary(); doubles the function's definition, and the greatest
// finite floats as bounds stand for none.
void activate(const Activation& activation, float* values, size_t size) noexcept;
void activate(const Activation& activation, double* values, size_t size) noexcept;

}  // namespace sardonyx::kernels
