// What the bind and run functions of operators share: reading inputs, checking sizes, naming what is wrong.
//
// Every shape that bind computes passes through output(), which refuses absurd sizes before anything is allocated.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ops/op.h"

namespace sardonyx::ops {

template <class... Args>
Error argument_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error model_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kInvalidModel, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
Error unsupported_error(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kUnsupported, fmt::format(format, std::forward<Args>(args)...));
}

// A set of element types.
class DTypeSet {
 public:
  constexpr DTypeSet(std::initializer_list<DType> types) {
    for (const DType type : types) bits_ |= uint32_t{1} << static_cast<int>(type);
  }
  constexpr bool has(DType type) const { return (bits_ >> static_cast<int>(type) & 1) != 0; }
  constexpr DTypeSet operator|(DTypeSet other) const {
    other.bits_ |= bits_;
    return other;
  }

 private:
  uint32_t bits_ = 0;
};
inline constexpr DTypeSet kFloats = {DType::kFloat32, DType::kFloat64, DType::kFloat16, DType::kBFloat16};
inline constexpr DTypeSet kSignedIntegers = {DType::kInt8, DType::kInt16, DType::kInt32, DType::kInt64};
inline constexpr DTypeSet kUnsignedIntegers = {DType::kUInt8, DType::kUInt16, DType::kUInt32, DType::kUInt64};
inline constexpr DTypeSet kIntegers = kSignedIntegers | kUnsignedIntegers;
inline constexpr DTypeSet kNumbers = kFloats | kIntegers;

constexpr size_t to_size(int64_t value) noexcept { return static_cast<size_t>(value); }
constexpr int64_t to_int(size_t value) noexcept { return static_cast<int64_t>(value); }

// Input `index`; throws InvalidArgument, telling `name`, if it is absent.
const ValueFacts& required(const BindContext& context, size_t index, std::string_view name);
// Input `index`, or null if it is absent.
const ValueFacts* optional(const BindContext& context, size_t index) noexcept;
// The tensor of an optional input at run time, or null.
const Tensor* optional(const RunContext& context, size_t index) noexcept;

// Throw InvalidArgument, telling name and type or shape.
void require_dtype(const ValueFacts& facts, DTypeSet allowed, std::string_view name);
void require_same_dtype(const ValueFacts& a, const ValueFacts& b, std::string_view a_name, std::string_view b_name);
void require_rank(const ValueFacts& facts, size_t rank, std::string_view name);

// Facts of an output; throws ResourceLimit where it cannot be had on any machine like this one.
ValueFacts output(DType dtype, Shape shape);
// More bytes than this are refused for one tensor: the memory of this machine.
size_t tensor_byte_limit() noexcept;

// An axis counted from the front; throws InvalidArgument outside [-rank, rank).
size_t checked_axis(int64_t axis, size_t rank, std::string_view name = "axis");
// A set of axes, each at most once; the result tells for each dimension whether it is in the set.
std::vector<bool> checked_axes(std::span<const int64_t> axes, size_t rank);
// Product of the sizes in [first, last).
size_t span_count(std::span<const int64_t> shape, size_t first, size_t last) noexcept;

// The values of an int32 or int64 tensor that is known when an operator is bound.
std::vector<int64_t> integer_values(const ValueFacts& facts, std::string_view name);

// numpy broadcasting, both ways; throws InvalidArgument where the shapes do not fit.
Shape broadcast(std::span<const int64_t> a, std::span<const int64_t> b);

// Bytes of one element (strings: of the object). Throws Unsupported for packed types, naming the operator's action.
size_t element_bytes(DType dtype);
// Copies all elements between tensors of one type and count, packed ones and strings included; nothing if they share the memory.
void copy_all(const Tensor& from, Tensor& to);

// An int32 or int64 tensor read as int64.
class IndexView {
 public:
  explicit IndexView(const Tensor& tensor) noexcept : data_(tensor.raw()), wide_(tensor.dtype() == DType::kInt64) {}
  int64_t operator[](size_t i) const noexcept {
    return wide_ ? static_cast<const int64_t*>(data_)[i] : static_cast<const int32_t*>(data_)[i];
  }

 private:
  const void* data_;
  bool wide_;
};

}  // namespace sardonyx::ops
