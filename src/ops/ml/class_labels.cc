#include "ops/ml/class_labels.h"

#include "ops/attributes/attributes.h"

namespace sardonyx::ops {

ClassLabels ClassLabels::from_node(const model::Node& node, std::string_view integers_name, std::string_view strings_name) {
  ClassLabels labels;
  labels.integers_ = model::get_ints(node, integers_name);
  labels.strings_ = get_strings(node, strings_name);
  if (labels.integers_.empty() == labels.strings_.empty()) {
    throw model_error("exactly one of the attributes {} and {} must hold labels", integers_name, strings_name);
  }
  return labels;
}

Tensor ClassLabels::tensor() const {
  const Shape shape = {to_int(size())};
  return is_string() ? Tensor::of_strings(shape, strings_) : Tensor::of<int64_t>(shape, std::span(integers_));
}

void ClassLabels::write(size_t index, size_t at, Tensor& y) const {
  if (!y.defined()) return;
  if (is_string()) {
    y.mutable_values<std::string>()[at] = strings_[index];
  } else {
    y.mutable_values<int64_t>()[at] = integers_[index];
  }
}

}  // namespace sardonyx::ops
