#include "ops/elements/elements.h"

#include <bit>
#include <cmath>
#include <concepts>
#include <limits>
#include <type_traits>

namespace sardonyx::ops {
namespace {

template <class T>
concept SmallFloat = std::same_as<T, Float16> || std::same_as<T, BFloat16>;

// The float next to `value` whose last bit is set unless it is exact: rounding it further gives what rounding `value` gives.
float round_to_odd(double value) noexcept {
  const float nearest = static_cast<float>(value);
  if (!std::isfinite(nearest) || static_cast<double>(nearest) == value) return nearest;
  const uint32_t bits = std::bit_cast<uint32_t>(nearest);
  if ((bits & 1) != 0) return nearest;
  const bool nearest_is_larger = std::abs(static_cast<double>(nearest)) > std::abs(value);
  return std::bit_cast<float>(nearest_is_larger ? bits - 1 : bits + 1);
}

template <std::integral To, std::floating_point From>
To saturate(From value) noexcept {
  if (std::isnan(value)) return 0;
  // 2^digits, the first value above the range, is exact in every floating-point type; max() may not be.
  const From above = std::ldexp(From{1}, std::numeric_limits<To>::digits);
  if (value >= above) return std::numeric_limits<To>::max();
  if (value <= static_cast<From>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  return static_cast<To>(value);
}

template <class To, class From>
To convert(From value) noexcept {
  if constexpr (std::same_as<To, From>) {
    return value;
  } else if constexpr (SmallFloat<From>) {
    return convert<To>(value.to_float());
  } else if constexpr (SmallFloat<To>) {
    if constexpr (std::same_as<From, float>) {
      return To::from_float(value);
    } else {
      return To::from_float(round_to_odd(static_cast<double>(value)));
    }
  } else if constexpr (std::same_as<To, bool>) {
    return value != From{};
  } else if constexpr (std::integral<To> && std::floating_point<From>) {
    return saturate<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

template <class Acc, class T>
void load(const void* src, ptrdiff_t stride, size_t count, Acc* values) {
  const T* from = static_cast<const T*>(src);
  for (size_t i = 0; i < count; ++i) values[i] = convert<Acc>(from[static_cast<ptrdiff_t>(i) * stride]);
}

template <class Acc, class T>
void store(const Acc* values, size_t count, void* dst) {
  T* to = static_cast<T*>(dst);
  for (size_t i = 0; i < count; ++i) to[i] = convert<T>(values[i]);
}

// visit(std::type_identity<T>) for the C++ type of a number or bool; else `fallback`.
template <class Result, class Visit>
Result visit_type(DType dtype, Result fallback, Visit visit) {
  switch (dtype) {
    case DType::kFloat32:
      return visit(std::type_identity<float>());
    case DType::kFloat64:
      return visit(std::type_identity<double>());
    case DType::kFloat16:
      return visit(std::type_identity<Float16>());
    case DType::kBFloat16:
      return visit(std::type_identity<BFloat16>());
    case DType::kInt8:
      return visit(std::type_identity<int8_t>());
    case DType::kInt16:
      return visit(std::type_identity<int16_t>());
    case DType::kInt32:
      return visit(std::type_identity<int32_t>());
    case DType::kInt64:
      return visit(std::type_identity<int64_t>());
    case DType::kUInt8:
      return visit(std::type_identity<uint8_t>());
    case DType::kUInt16:
      return visit(std::type_identity<uint16_t>());
    case DType::kUInt32:
      return visit(std::type_identity<uint32_t>());
    case DType::kUInt64:
      return visit(std::type_identity<uint64_t>());
    case DType::kBool:
      return visit(std::type_identity<bool>());
    default:
      return fallback;
  }
}

}  // namespace

template <class Acc>
LoadRun<Acc> load_run(DType dtype) noexcept {
  return visit_type(dtype, LoadRun<Acc>{}, []<class T>(std::type_identity<T>) -> LoadRun<Acc> { return &load<Acc, T>; });
}

template <class Acc>
StoreRun<Acc> store_run(DType dtype) noexcept {
  return visit_type(dtype, StoreRun<Acc>{}, []<class T>(std::type_identity<T>) -> StoreRun<Acc> { return &store<Acc, T>; });
}

template LoadRun<float> load_run<float>(DType) noexcept;
template LoadRun<double> load_run<double>(DType) noexcept;
template LoadRun<int64_t> load_run<int64_t>(DType) noexcept;
template LoadRun<uint64_t> load_run<uint64_t>(DType) noexcept;
template StoreRun<float> store_run<float>(DType) noexcept;
template StoreRun<double> store_run<double>(DType) noexcept;
template StoreRun<int64_t> store_run<int64_t>(DType) noexcept;
template StoreRun<uint64_t> store_run<uint64_t>(DType) noexcept;

}  // namespace sardonyx::ops
