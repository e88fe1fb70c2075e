// From 32-bit sums and floats to bytes, and from sums and bytes to floats.
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

// y = (sum + bias) * scale + addend, in floats: without the zero point. `addend` has one value for each sum, or is null.
void scale_sums(const Requantizer& by, const int32_t* sums, size_t count, const float* addend, float* y) noexcept;

// y = saturate(round(x / scale) + zero), as QuantizeLinear has it: ties go to the even number, NaN becomes the zero point.
void quantize_floats(const float* x, size_t count, float scale, int32_t zero, uint8_t* y) noexcept;
void quantize_floats(const float* x, size_t count, float scale, int32_t zero, int8_t* y) noexcept;

// y = (x - zero) * scale.
void dequantize_bytes(const uint8_t* x, size_t count, float scale, int32_t zero, float* y) noexcept;
void dequantize_bytes(const int8_t* x, size_t count, float scale, int32_t zero, float* y) noexcept;

// y = saturate(round(x * scale + zero)): the zero point takes part in choosing the even number of a tie.
void round_floats(const float* x, size_t count, float scale, float zero, uint8_t* y) noexcept;
void round_floats(const float* x, size_t count, float scale, float zero, int8_t* y) noexcept;

}  // namespace sardonyx::kernels
