#include "core/float8.h"

#include <bit>
#include <cmath>
#include <limits>

namespace sardonyx::core {

namespace {
// A small binary floating-point format: sign, exponent bits, mantissa bits.
struct Format {
  int mantissa_bits;
  int bias;
  uint8_t largest;   // magnitude bits of the largest finite value
  uint8_t infinity;  // magnitude bits of infinity; 0 if there is none
  uint8_t nan;       // the NaN written; NUZ kinds have 0x80 alone
  bool nuz;          // no negative zero, NaN in its place
};

constexpr Format format_of(DType kind) noexcept {
  switch (kind) {
    case DType::kFloat8E4M3FN:
      return {3, 7, 0x7e, 0, 0x7f, false};
    case DType::kFloat8E4M3FNUZ:
      return {3, 8, 0x7f, 0, 0x80, true};
    case DType::kFloat8E5M2:
      return {2, 15, 0x7b, 0x7c, 0x7e, false};
    default:
      return {2, 16, 0x7f, 0, 0x80, true};
  }
}

// The magnitude |value| in units of the format, rounded to nearest even: exponent and mantissa as one integer, without a ceiling.
// Exact in double arithmetic.
uint32_t round_magnitude(double magnitude, int mantissa_bits, int bias) noexcept {
  if (magnitude == 0) return 0;
  int exponent = 0;
  std::frexp(magnitude, &exponent);       // magnitude = f * 2^exponent, f in [0.5, 1)
  const int field = exponent - 1 + bias;  // the biased exponent of a normal number
  const int scale = field >= 1 ? exponent - 1 : 1 - bias;
  const auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, mantissa_bits - scale)));
  const uint32_t hidden = uint32_t{1} << mantissa_bits;
  return field >= 1 ? (static_cast<uint32_t>(field) << mantissa_bits) + (units - hidden) : units;
}

double magnitude_of(uint32_t bits, int mantissa_bits, int bias) noexcept {
  const uint32_t hidden = uint32_t{1} << mantissa_bits;
  const int field = static_cast<int>(bits >> mantissa_bits);
  const uint32_t mantissa = bits & (hidden - 1);
  return field == 0 ? std::ldexp(mantissa, 1 - bias - mantissa_bits) : std::ldexp(hidden + mantissa, field - bias - mantissa_bits);
}
}  // namespace

uint8_t float_to_float8(DType kind, float value, Overflow overflow) noexcept {
  const Format format = format_of(kind);
  const auto sign = static_cast<uint8_t>(std::signbit(value) ? 0x80 : 0);
  if (std::isnan(value)) return static_cast<uint8_t>(format.nuz ? format.nan : sign | format.nan);
  const bool infinite = std::isinf(value);
  const uint32_t magnitude = infinite ? 0xffff : round_magnitude(std::abs(static_cast<double>(value)), format.mantissa_bits, format.bias);
  if (magnitude > format.largest) {
    if (overflow == Overflow::kSaturate) return sign | format.largest;
    if (format.infinity != 0) return sign | format.infinity;
    return format.nuz ? format.nan : static_cast<uint8_t>(sign | format.nan);
  }
  if (magnitude == 0 && format.nuz) return 0;
  return static_cast<uint8_t>(sign | magnitude);
}

float float8_to_float(DType kind, uint8_t bits) noexcept {
  const Format format = format_of(kind);
  const uint8_t magnitude = bits & 0x7f;
  if (format.nuz ? bits == format.nan : magnitude > (format.infinity != 0 ? format.infinity : format.largest)) {
    return std::numeric_limits<float>::quiet_NaN();
  }
  const float sign = (bits & 0x80) != 0 ? -1.0f : 1.0f;
  if (format.infinity != 0 && magnitude == format.infinity) return sign * std::numeric_limits<float>::infinity();
  return sign * static_cast<float>(magnitude_of(magnitude, format.mantissa_bits, format.bias));
}

uint8_t float_to_e8m0(float value, ScaleRounding rounding, Overflow overflow) noexcept {
  constexpr uint8_t kNan = 0xff;
  if (std::isnan(value)) return kNan;
  const double magnitude = std::abs(static_cast<double>(value));
  if (std::isinf(value)) return overflow == Overflow::kSaturate ? 0xfe : kNan;
  if (magnitude == 0) return 0;
  int exponent = 0;
  const double fraction = std::frexp(magnitude, &exponent);  // in [0.5, 1)
  int field = exponent - 1 + 127;
  const bool exact = fraction == 0.5;
  const bool up = rounding == ScaleRounding::kUp ? !exact : rounding == ScaleRounding::kNearest && fraction >= 0.75;
  if (up) ++field;
  if (field < 0) return 0;
  if (field > 254) return overflow == Overflow::kSaturate ? 0xfe : kNan;
  return static_cast<uint8_t>(field);
}

float e8m0_to_float(uint8_t bits) noexcept {
  if (bits == 0xff) return std::numeric_limits<float>::quiet_NaN();
  return std::ldexp(1.0f, int{bits} - 127);
}

uint8_t float_to_float4(float value) noexcept {
  constexpr uint32_t kLargest = 7;  // 6.0
  const uint8_t sign = std::signbit(value) ? 8 : 0;
  // There is no NaN: ONNX's reference makes it a negative zero.
  if (std::isnan(value)) return 8;
  if (std::isinf(value)) return static_cast<uint8_t>(sign | kLargest);
  const uint32_t magnitude = round_magnitude(std::abs(static_cast<double>(value)), 1, 1);
  return static_cast<uint8_t>(sign | (magnitude > kLargest ? kLargest : magnitude));
}

float float4_to_float(uint8_t bits) noexcept {
  const auto magnitude = static_cast<float>(magnitude_of(bits & 7u, 1, 1));
  return (bits & 8) != 0 ? -magnitude : magnitude;
}

uint8_t packed_get(const uint8_t* data, int width, size_t index) noexcept {
  const size_t per_byte = 8 / static_cast<size_t>(width);
  const auto shift = static_cast<int>(index % per_byte) * width;
  return static_cast<uint8_t>(data[index / per_byte] >> shift & ((1 << width) - 1));
}

void packed_set(uint8_t* data, int width, size_t index, uint8_t bits) noexcept {
  const size_t per_byte = 8 / static_cast<size_t>(width);
  const auto shift = static_cast<int>(index % per_byte) * width;
  const int mask = ((1 << width) - 1) << shift;
  uint8_t& byte = data[index / per_byte];
  byte = static_cast<uint8_t>((byte & ~mask) | (bits << shift & mask));
}

}  // namespace sardonyx::core
