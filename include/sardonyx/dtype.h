// Element types of tensors: ONNX's TensorProto.DataType with its numbers, and the C++ types that hold them.
#pragma once

#include <bit>
#include <complex>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sardonyx {

// Numbers are those of onnx.TensorProto.DataType (IR version 13).
enum class DType : int32_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBFloat16 = 16,
  kFloat8E4M3FN = 17,
  kFloat8E4M3FNUZ = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2FNUZ = 20,
  kUInt4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUInt2 = 25,
  kInt2 = 26,
  // Not of ONNX, and no type of a file: elements that are tensors themselves. Sequences and maps are such tensors; see tensor.h.
  kTensor = 31,
};
inline constexpr int kDTypeCount = 27;  // of ONNX

bool is_valid(DType dtype) noexcept;               // a type of ONNX other than kUndefined
int bit_width(DType dtype) noexcept;               // bits of one element; 0 for kString, kTensor and kUndefined
bool is_floating_point(DType dtype) noexcept;      // float32, float64, float16, bfloat16, float8 kinds, float4
bool is_integral(DType dtype) noexcept;            // signed and unsigned integers of any width; not bool
std::string_view to_string(DType dtype) noexcept;  // ONNX's lower-case name: "float", "int64", "float8e4m3fn", ...
std::string type_string(DType dtype);              // "tensor(float)"
// The type with that lower-case ONNX name ("float", "double", "float16", ...), if any.
std::optional<DType> dtype_from_string(std::string_view name) noexcept;

// Storage-only element types: the bits, and conversions that round to nearest even (from_float).
struct Float16 {
  uint16_t bits;
  static Float16 from_float(float value) noexcept;
  float to_float() const noexcept;
  friend bool operator==(Float16, Float16) = default;
};
struct BFloat16 {
  uint16_t bits;
  static BFloat16 from_float(float value) noexcept;
  float to_float() const noexcept { return std::bit_cast<float>(uint32_t{bits} << 16); }
  friend bool operator==(BFloat16, BFloat16) = default;
};
// One-byte element types that differ in their reading only (float8 kinds); see core/float8.h for the conversions.
template <DType kKind>
struct Float8 {
  uint8_t bits;
  friend bool operator==(Float8, Float8) = default;
};

// The DType that a C++ element type stands for. Packed types (4 and 2 bits) have no C++ element type.
template <class T>
inline constexpr DType kDTypeOf = DType::kUndefined;
template <>
inline constexpr DType kDTypeOf<float> = DType::kFloat32;
template <>
inline constexpr DType kDTypeOf<double> = DType::kFloat64;
template <>
inline constexpr DType kDTypeOf<Float16> = DType::kFloat16;
template <>
inline constexpr DType kDTypeOf<BFloat16> = DType::kBFloat16;
template <>
inline constexpr DType kDTypeOf<int8_t> = DType::kInt8;
template <>
inline constexpr DType kDTypeOf<int16_t> = DType::kInt16;
template <>
inline constexpr DType kDTypeOf<int32_t> = DType::kInt32;
template <>
inline constexpr DType kDTypeOf<int64_t> = DType::kInt64;
template <>
inline constexpr DType kDTypeOf<uint8_t> = DType::kUInt8;
template <>
inline constexpr DType kDTypeOf<uint16_t> = DType::kUInt16;
template <>
inline constexpr DType kDTypeOf<uint32_t> = DType::kUInt32;
template <>
inline constexpr DType kDTypeOf<uint64_t> = DType::kUInt64;
template <>
inline constexpr DType kDTypeOf<bool> = DType::kBool;
template <>
inline constexpr DType kDTypeOf<std::string> = DType::kString;
template <>
inline constexpr DType kDTypeOf<std::complex<float>> = DType::kComplex64;
template <>
inline constexpr DType kDTypeOf<std::complex<double>> = DType::kComplex128;
template <DType kKind>
inline constexpr DType kDTypeOf<Float8<kKind>> = kKind;

}  // namespace sardonyx
