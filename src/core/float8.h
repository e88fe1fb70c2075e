// Conversions between float and the small ONNX types: float8 (four kinds), float8e8m0, float4e2m1, packed integers.
// Source: the ONNX specification of Cast and the tables of its float8 and float4 pages.
#pragma once

#include <cstddef>
#include <cstdint>

#include "sardonyx/dtype.h"

namespace sardonyx::core {

// What a float outside the range of a float8 becomes: the largest finite value, or infinity / NaN.
enum class Overflow { kSaturate, kInfinity };

// `kind` is one of the four float8 kinds. Rounds to nearest even.
uint8_t float_to_float8(DType kind, float value, Overflow overflow = Overflow::kSaturate) noexcept;
float float8_to_float(DType kind, uint8_t bits) noexcept;

// float8e8m0: a power of two 2^(bits - 127), 255 is NaN. Rounding of the exponent as the ONNX Cast operator's round_mode.
enum class ScaleRounding { kUp, kDown, kNearest };
uint8_t float_to_e8m0(float value, ScaleRounding rounding = ScaleRounding::kUp, Overflow overflow = Overflow::kSaturate) noexcept;
float e8m0_to_float(uint8_t bits) noexcept;

// float4e2m1 in the low four bits. Rounds to nearest even, saturates; NaN, which it lacks, becomes -0.
uint8_t float_to_float4(float value) noexcept;
float float4_to_float(uint8_t bits) noexcept;

// Element `index` of a packed array of 4-bit or 2-bit elements (first element in the lowest bits), raw bits.
uint8_t packed_get(const uint8_t* data, int width, size_t index) noexcept;
void packed_set(uint8_t* data, int width, size_t index, uint8_t bits) noexcept;

}  // namespace sardonyx::core
