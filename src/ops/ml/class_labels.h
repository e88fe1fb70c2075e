// Labels of classes, which ai.onnx.ml's classifiers have as integers or as strings.
#pragma once

#include <string>
#include <vector>

#include "ops/facts.h"

namespace sardonyx::ops {

class ClassLabels {
 public:
  // Throws InvalidModel unless exactly one of the two attributes holds labels.
  static ClassLabels from_node(const model::Node& node, std::string_view integers_name,
                               std::string_view strings_name = "classlabels_strings");

  size_t size() const noexcept { return is_string() ? strings_.size() : integers_.size(); }
  bool is_string() const noexcept { return !strings_.empty(); }
  DType dtype() const noexcept { return is_string() ? DType::kString : DType::kInt64; }
  // All labels, in order.
  Tensor tensor() const;
  // Writes the label of class `index` as the element `at` of y; nothing if y is undefined.
  void write(size_t index, size_t at, Tensor& y) const;

 private:
  std::vector<int64_t> integers_;
  std::vector<std::string> strings_;
};

// The first of the greatest scores; NaN is never greater.
template <class T>
size_t top_class(const T* scores, size_t count) noexcept {
  size_t top = 0;
  for (size_t i = 1; i < count; ++i) {
    if (scores[i] > scores[top]) top = i;
  }
  return top;
}

}  // namespace sardonyx::ops
