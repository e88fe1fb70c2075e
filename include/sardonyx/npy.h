// NumPy's .npy files (format versions 1 to 3), the way arrays come and go on the command line.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "sardonyx/tensor.h"

namespace sardonyx {

// Reads an array: numbers, bool, complex; fixed-width byte strings (S) and Unicode strings (U) give kString. Little-endian C-order
// elements are views on the mapped file; Fortran order and big-endian are copied. Object arrays (pickles) are refused.
// Throws Io, InvalidArgument (not a sound .npy), Unsupported (an element type that ONNX lacks).
Tensor load_npy(const std::filesystem::path& path);
Tensor parse_npy(std::span<const std::byte> bytes, std::shared_ptr<const void> owner = nullptr);

// Writes atomically. bfloat16 and float8 become float32 (exactly), packed integers int8 or uint8, float4 float32: NumPy has no such types.
// Strings become fixed-width Unicode. Throws Io; InvalidArgument for strings that are not UTF-8.
void save_npy(const std::filesystem::path& path, const Tensor& tensor);
std::string serialize_npy(const Tensor& tensor);

}  // namespace sardonyx
