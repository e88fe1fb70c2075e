// Runs of elements of any number type as runs of one of four accumulation types, in which everything that has no kernel of its own is
// computed: float for float32 and the 16-bit floats, double for float64, uint64_t for uint64, int64_t for all other integers and bool.
// Values of the type itself pass exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "sardonyx/dtype.h"
#include "sardonyx/error.h"

namespace sardonyx::ops {

// Reads `count` elements, `stride` elements apart (0 repeats one), and converts each.
template <class Acc>
using LoadRun = void (*)(const void* src, ptrdiff_t stride, size_t count, Acc* values);
// Converts `count` values and writes them one after another. Floats to integers: truncated, saturated, NaN gives 0. Integers to smaller
// integers: the low bits. To bool: whether it is not 0.
template <class Acc>
using StoreRun = void (*)(const Acc* values, size_t count, void* dst);

// Acc is float, double, int64_t or uint64_t. Null for strings, complex numbers and types below 16-bit floats or 8-bit integers.
template <class Acc>
LoadRun<Acc> load_run(DType dtype) noexcept;
template <class Acc>
StoreRun<Acc> store_run(DType dtype) noexcept;

// Elements that are converted at a time, in buffers on the stack.
inline constexpr size_t kRunLength = 512;

// Calls body.template operator()<Acc>() with the accumulation type. The type must be a number or bool.
template <class Body>
decltype(auto) with_accumulator(DType dtype, Body&& body) {
  switch (dtype) {
    case DType::kFloat32:
    case DType::kFloat16:
    case DType::kBFloat16:
      return std::forward<Body>(body).template operator()<float>();
    case DType::kFloat64:
      return std::forward<Body>(body).template operator()<double>();
    case DType::kUInt64:
      return std::forward<Body>(body).template operator()<uint64_t>();
    case DType::kInt8:
    case DType::kInt16:
    case DType::kInt32:
    case DType::kInt64:
    case DType::kUInt8:
    case DType::kUInt16:
    case DType::kUInt32:
    case DType::kBool:
      return std::forward<Body>(body).template operator()<int64_t>();
    default:
      throw Error(ErrorCode::kUnsupported, "no arithmetic for elements of type " + type_string(dtype));
  }
}

}  // namespace sardonyx::ops
