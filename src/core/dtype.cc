#include "sardonyx/dtype.h"

#include <array>
#include <cmath>

namespace sardonyx {

namespace {
enum class Kind : uint8_t { kNone, kFloat, kInteger, kBool, kText, kComplex };
struct Row {
  std::string_view name;
  int bits;
  Kind kind;
};
// Indexed by the DType's number.
constexpr std::array<Row, kDTypeCount> kRows = {{
    {"undefined", 0, Kind::kNone},       {"float", 32, Kind::kFloat},
    {"uint8", 8, Kind::kInteger},        {"int8", 8, Kind::kInteger},
    {"uint16", 16, Kind::kInteger},      {"int16", 16, Kind::kInteger},
    {"int32", 32, Kind::kInteger},       {"int64", 64, Kind::kInteger},
    {"string", 0, Kind::kText},          {"bool", 8, Kind::kBool},
    {"float16", 16, Kind::kFloat},       {"double", 64, Kind::kFloat},
    {"uint32", 32, Kind::kInteger},      {"uint64", 64, Kind::kInteger},
    {"complex64", 64, Kind::kComplex},   {"complex128", 128, Kind::kComplex},
    {"bfloat16", 16, Kind::kFloat},      {"float8e4m3fn", 8, Kind::kFloat},
    {"float8e4m3fnuz", 8, Kind::kFloat}, {"float8e5m2", 8, Kind::kFloat},
    {"float8e5m2fnuz", 8, Kind::kFloat}, {"uint4", 4, Kind::kInteger},
    {"int4", 4, Kind::kInteger},         {"float4e2m1", 4, Kind::kFloat},
    {"float8e8m0", 8, Kind::kFloat},     {"uint2", 2, Kind::kInteger},
    {"int2", 2, Kind::kInteger},
}};
const Row& row(DType dtype) noexcept {
  const auto number = static_cast<size_t>(dtype);
  return kRows[number < kRows.size() ? number : 0];
}
}  // namespace

bool is_valid(DType dtype) noexcept { return row(dtype).kind != Kind::kNone; }
int bit_width(DType dtype) noexcept { return row(dtype).bits; }
bool is_floating_point(DType dtype) noexcept { return row(dtype).kind == Kind::kFloat; }
bool is_integral(DType dtype) noexcept { return row(dtype).kind == Kind::kInteger; }
std::string_view to_string(DType dtype) noexcept { return dtype == DType::kTensor ? "tensor" : row(dtype).name; }
std::string type_string(DType dtype) { return "tensor(" + std::string(to_string(dtype)) + ")"; }

std::optional<DType> dtype_from_string(std::string_view name) noexcept {
  for (size_t i = 1; i < kRows.size(); ++i) {
    if (kRows[i].name == name) return static_cast<DType>(i);
  }
  return std::nullopt;
}

Float16 Float16::from_float(float value) noexcept {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return {static_cast<uint16_t>(sign | 0x7e00 | (magnitude >> 13 & 0x1ff))};  // NaN keeps its payload
  if (magnitude >= 0x477ff000) return {static_cast<uint16_t>(sign | 0x7c00)};                             // rounds above 65504
  if (magnitude < 0x38800000) {
    // Subnormal: the addition of 0.5 makes the processor round at the right bit.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return {static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - 0x3f000000))};
  }
  const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
  return {static_cast<uint16_t>(sign | ((rounded >> 13) - (112 << 10)))};
}

float Float16::to_float() const noexcept {
  const uint32_t sign = uint32_t{bits} << 16 & 0x80000000;
  const uint32_t exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent == 0) return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(mantissa) * 0x1p-24f));
  return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
}

BFloat16 BFloat16::from_float(float value) noexcept {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return {static_cast<uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

}  // namespace sardonyx
