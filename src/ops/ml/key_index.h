// The positions of keys in a list: what ai.onnx.ml's operators on labels, categories and vocabularies look up.
#pragma once

#include <string>
#include <unordered_map>

#include "ops/facts.h"

namespace sardonyx::ops {

inline constexpr DTypeSet kKeyTypes = {DType::kString, DType::kInt64, DType::kInt32, DType::kInt16, DType::kFloat32, DType::kFloat64};

class KeyIndex {
 public:
  static constexpr size_t kNone = static_cast<size_t>(-1);
  enum class Repeated { kFirstWins, kLastWins };

  KeyIndex() = default;
  // `keys` is of a type in kKeyTypes. A NaN is the same key as any other NaN, and 0 as -0.
  KeyIndex(const Tensor& keys, Repeated rule);

  DType dtype() const noexcept { return dtype_; }
  // The position of element `at` of `values`, which has the type of the keys; kNone if it is no key.
  size_t find(const Tensor& values, size_t at) const;
  // For keys that are int64.
  size_t find(int64_t key) const { return find_number(static_cast<uint64_t>(key)); }

 private:
  size_t find_number(uint64_t key) const {
    const auto found = numbers_.find(key);
    return found == numbers_.end() ? kNone : found->second;
  }

  DType dtype_ = DType::kUndefined;
  std::unordered_map<uint64_t, size_t> numbers_;
  std::unordered_map<std::string, size_t> strings_;
};

}  // namespace sardonyx::ops
