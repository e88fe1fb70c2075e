// From 32-bit sums to bytes.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sardonyx::kernels {

// What happens to a run of sums. A step is 1 where there is one value for each sum, 0 where one value serves all.
struct Requantizer {
  const float* scale = nullptr;
  size_t scale_step = 0;
  const int32_t* zero = nullptr;
  size_t zero_step = 0;
  const int32_t* bias = nullptr;  // null: nothing is added
  size_t bias_step = 0;
};

// y = saturate(round((sum + bias) * scale) + zero): sum + bias wraps around, the product is one of floats, ties go to the even number.
// NaN becomes the zero point.
void requantize(const Requantizer& to, const int32_t* sums, size_t count, uint8_t* y) noexcept;
void requantize(const Requantizer& to, const int32_t* sums, size_t count, int8_t* y) noexcept;

}  // namespace sardonyx::kernels
