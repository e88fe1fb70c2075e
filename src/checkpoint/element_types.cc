#include "checkpoint/element_types.h"

namespace sardonyx::checkpoint {

namespace {

constexpr ElementType kTypes[] = {
    {DType::kFloat32, "float32", "FloatStorage", "F32"},
    {DType::kFloat64, "float64", "DoubleStorage", "F64"},
    {DType::kFloat16, "float16", "HalfStorage", "F16"},
    {DType::kBFloat16, "bfloat16", "BFloat16Storage", "BF16"},
    {DType::kUInt8, "uint8", "ByteStorage", "U8"},
    {DType::kInt8, "int8", "CharStorage", "I8"},
    {DType::kInt16, "int16", "ShortStorage", "I16"},
    {DType::kInt32, "int32", "IntStorage", "I32"},
    {DType::kInt64, "int64", "LongStorage", "I64"},
    {DType::kBool, "bool", "BoolStorage", "BOOL"},
    {DType::kUInt16, "uint16", "", "U16"},
    {DType::kUInt32, "uint32", "", "U32"},
    {DType::kUInt64, "uint64", "", "U64"},
    {DType::kComplex64, "complex64", "ComplexFloatStorage", "C64"},
    {DType::kComplex128, "complex128", "ComplexDoubleStorage", ""},
    {DType::kFloat8E4M3FN, "float8_e4m3fn", "", "F8_E4M3"},
    {DType::kFloat8E4M3FNUZ, "float8_e4m3fnuz", "", "F8_E4M3FNUZ"},
    {DType::kFloat8E5M2, "float8_e5m2", "", "F8_E5M2"},
    {DType::kFloat8E5M2FNUZ, "float8_e5m2fnuz", "", "F8_E5M2FNUZ"},
    {DType::kFloat8E8M0, "float8_e8m0fnu", "", "F8_E8M0"},
};

std::optional<DType> find(std::string_view ElementType::*column, std::string_view name) noexcept {
  for (const ElementType& type : kTypes) {
    if (!name.empty() && type.*column == name) return type.dtype;
  }
  return std::nullopt;
}

}  // namespace

const ElementType* element_type(DType dtype) noexcept {
  for (const ElementType& type : kTypes) {
    if (type.dtype == dtype) return &type;
  }
  return nullptr;
}

std::optional<DType> dtype_of_torch(std::string_view name) noexcept { return find(&ElementType::torch, name); }
std::optional<DType> dtype_of_storage(std::string_view name) noexcept { return find(&ElementType::storage, name); }
std::optional<DType> dtype_of_safetensors(std::string_view name) noexcept { return find(&ElementType::safetensors, name); }

}  // namespace sardonyx::checkpoint
