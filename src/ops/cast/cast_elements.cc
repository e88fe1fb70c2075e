#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>

#include "ops/cast/cast.h"
#include "ops/elements/elements.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

constexpr DTypeSet kFloat8 = {DType::kFloat8E4M3FN, DType::kFloat8E4M3FNUZ, DType::kFloat8E5M2, DType::kFloat8E5M2FNUZ};
constexpr DTypeSet kPackedSigned = {DType::kInt4, DType::kInt2};
constexpr DTypeSet kPackedIntegers = kPackedSigned | DTypeSet{DType::kUInt4, DType::kUInt2};
constexpr DTypeSet kSmallFloats = kFloat8 | DTypeSet{DType::kFloat8E8M0, DType::kFloat4E2M1};

float small_float_at(DType dtype, const uint8_t* data, size_t index) noexcept {
  if (dtype == DType::kFloat4E2M1) return core::float4_to_float(core::packed_get(data, 4, index));
  if (dtype == DType::kFloat8E8M0) return core::e8m0_to_float(data[index]);
  return core::float8_to_float(dtype, data[index]);
}

int64_t packed_integer_at(DType dtype, const uint8_t* data, size_t index) noexcept {
  const int width = bit_width(dtype);
  const int64_t bits = core::packed_get(data, width, index);
  const bool is_negative = kPackedSigned.has(dtype) && (bits >> (width - 1) & 1) != 0;
  return is_negative ? bits - (int64_t{1} << width) : bits;
}

void store_small_float(const CastSpec& spec, DType dtype, float value, uint8_t* data, size_t index) noexcept {
  if (dtype == DType::kFloat4E2M1) {
    core::packed_set(data, 4, index, core::float_to_float4(value));
  } else if (dtype == DType::kFloat8E8M0) {
    data[index] = core::float_to_e8m0(value, spec.rounding, spec.overflow);
  } else {
    data[index] = core::float_to_float8(dtype, value, spec.overflow);
  }
}

// The low bits of the value, truncated to a whole number.
template <class Acc>
uint8_t packed_bits(DType dtype, Acc value) noexcept {
  int64_t whole = 0;
  if constexpr (std::is_floating_point_v<Acc>) {
    constexpr Acc kRange = 1e9;  // far outside of all packed types; NaN gives 0
    whole = std::isnan(value) ? 0 : static_cast<int64_t>(std::clamp<Acc>(value, -kRange, kRange));
  } else {
    whole = static_cast<int64_t>(value);
  }
  return static_cast<uint8_t>(static_cast<uint64_t>(whole) & ((uint64_t{1} << bit_width(dtype)) - 1));
}

}  // namespace

template <class Acc>
void load_elements(DType dtype, const void* data, size_t first, size_t count, Acc* values) noexcept {
  const auto* bytes = static_cast<const uint8_t*>(data);
  if (kSmallFloats.has(dtype)) {
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<Acc>(small_float_at(dtype, bytes, first + i));
  } else if (kPackedIntegers.has(dtype)) {
    for (size_t i = 0; i < count; ++i) values[i] = static_cast<Acc>(packed_integer_at(dtype, bytes, first + i));
  } else {
    load_run<Acc>(dtype)(bytes + first * static_cast<size_t>(bit_width(dtype)) / 8, 1, count, values);
  }
}

template <class Acc>
void store_elements(const CastSpec& spec, DType dtype, const Acc* values, size_t first, size_t count, void* data) noexcept {
  auto* bytes = static_cast<uint8_t*>(data);
  if (kSmallFloats.has(dtype)) {
    for (size_t i = 0; i < count; ++i) store_small_float(spec, dtype, static_cast<float>(values[i]), bytes, first + i);
  } else if (kPackedIntegers.has(dtype)) {
    for (size_t i = 0; i < count; ++i) core::packed_set(bytes, bit_width(dtype), first + i, packed_bits(dtype, values[i]));
  } else {
    store_run<Acc>(dtype)(values, count, bytes + first * static_cast<size_t>(bit_width(dtype)) / 8);
  }
}

#define SARDONYX_INSTANTIATE(Acc)                                                      \
  template void load_elements<Acc>(DType, const void*, size_t, size_t, Acc*) noexcept; \
  template void store_elements<Acc>(const CastSpec&, DType, const Acc*, size_t, size_t, void*) noexcept;
SARDONYX_INSTANTIATE(float)
SARDONYX_INSTANTIATE(double)
SARDONYX_INSTANTIATE(int64_t)
SARDONYX_INSTANTIATE(uint64_t)
#undef SARDONYX_INSTANTIATE

namespace {

// Calls body.template operator()<Acc>() with the type in which elements of `dtype` are exact.
template <class Body>
void with_exact(DType dtype, const Body& body) {
  if (kSmallFloats.has(dtype)) return body.template operator()<float>();
  if (kPackedIntegers.has(dtype)) return body.template operator()<int64_t>();
  with_accumulator(dtype, body);
}

void cast_numbers(const CastSpec& spec, const Tensor& from, Tensor& to, core::ThreadPool& pool) {
  const void* source = from.raw();
  void* target = to.mutable_raw();
  if (bit_width(to.dtype()) < 8) std::memset(target, 0, to.byte_size());  // the unused bits of the last byte
  with_exact(from.dtype(), [&]<class Acc>() {
    // Whole runs to a thread: packed elements of two runs share no byte.
    pool.for_ranges(to_size(from.numel()), 16 * kRunLength, [&](size_t begin, size_t end) {
      Acc values[kRunLength];
      for (size_t i = begin; i < end; i += kRunLength) {
        const size_t count = std::min(kRunLength, end - i);
        load_elements(from.dtype(), source, i, count, values);
        store_elements(spec, to.dtype(), values, i, count, target);
      }
    });
  });
}

template <class Acc>
std::string number_text(Acc value) {
  if constexpr (std::is_floating_point_v<Acc>) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "INF" : "-INF";
  }
  return fmt::format("{}", value);
}

void cast_to_strings(const Tensor& from, Tensor& to) {
  const std::span<std::string> texts = to.mutable_values<std::string>();
  with_exact(from.dtype(), [&]<class Acc>() {
    for (size_t i = 0; i < texts.size(); ++i) {
      Acc value{};
      load_elements(from.dtype(), from.raw(), i, 1, &value);
      texts[i] = number_text(value);
    }
  });
}

// A leading plus sign is allowed; letters of INF and NaN may have any case.
template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class Number>
bool store_text(const CastSpec& spec, std::string_view text, Tensor& to, size_t index) {
  const auto number = parse_number<Number>(text);
  if (number) store_elements(spec, to.dtype(), &*number, index, 1, to.mutable_raw());
  return number.has_value();
}

void cast_from_strings(const CastSpec& spec, const Tensor& from, Tensor& to) {
  const std::span<const std::string> texts = from.strings();
  if (bit_width(to.dtype()) < 8) std::memset(to.mutable_raw(), 0, to.byte_size());
  for (size_t i = 0; i < texts.size(); ++i) {
    // Integers first: 64 bits of them are more than a double holds.
    const bool done =
        is_integral(to.dtype()) && (store_text<int64_t>(spec, texts[i], to, i) || store_text<uint64_t>(spec, texts[i], to, i));
    if (!done && !store_text<double>(spec, texts[i], to, i)) {
      throw argument_error("element {} is \"{}\", which is no number", i, texts[i].substr(0, 40));
    }
  }
}

}  // namespace

void cast_elements(const CastSpec& spec, const Tensor& from, Tensor& to, core::ThreadPool& pool) {
  if (from.dtype() == DType::kString) {
    cast_from_strings(spec, from, to);
  } else if (to.dtype() == DType::kString) {
    cast_to_strings(from, to);
  } else {
    cast_numbers(spec, from, to, pool);
  }
}

}  // namespace sardonyx::ops
