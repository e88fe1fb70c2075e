#include "ops/ml/key_index.h"

#include <bit>
#include <cmath>
#include <limits>

namespace sardonyx::ops {
namespace {

uint64_t bits_of(double value) noexcept {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return std::bit_cast<uint64_t>(value == 0 ? 0.0 : value);
}

// One number for each value of one of the types.
uint64_t number_of(const Tensor& values, size_t at) {
  switch (values.dtype()) {
    case DType::kInt64:
      return static_cast<uint64_t>(values.values<int64_t>()[at]);
    case DType::kInt32:
      return static_cast<uint64_t>(values.values<int32_t>()[at]);
    case DType::kInt16:
      return static_cast<uint64_t>(values.values<int16_t>()[at]);
    case DType::kFloat32:
      return bits_of(static_cast<double>(values.values<float>()[at]));
    default:
      return bits_of(values.values<double>()[at]);
  }
}

}  // namespace

KeyIndex::KeyIndex(const Tensor& keys, Repeated rule) : dtype_(keys.dtype()) {
  for (size_t i = 0; i < to_size(keys.numel()); ++i) {
    size_t& position = dtype_ == DType::kString ? strings_.try_emplace(keys.strings()[i], i).first->second
                                                : numbers_.try_emplace(number_of(keys, i), i).first->second;
    if (rule == Repeated::kLastWins) position = i;
  }
}

size_t KeyIndex::find(const Tensor& values, size_t at) const {
  if (dtype_ != DType::kString) return find_number(number_of(values, at));
  const auto found = strings_.find(values.strings()[at]);
  return found == strings_.end() ? kNone : found->second;
}

}  // namespace sardonyx::ops
