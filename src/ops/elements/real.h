// What operators over float and double share: one body for both, and typed pointers to inputs and outputs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ops/facts.h"

namespace sardonyx::ops {

inline constexpr DTypeSet kReals = {DType::kFloat32, DType::kFloat64};

// Calls body.template operator()<T>() with float, or double for float64.
template <class Body>
decltype(auto) with_real(DType dtype, Body&& body) {
  if (dtype == DType::kFloat64) return std::forward<Body>(body).template operator()<double>();
  return std::forward<Body>(body).template operator()<float>();
}

// Elements of an input; null where it is absent.
template <class T>
const T* input_data(const RunContext& r, size_t index) noexcept {
  const Tensor* tensor = optional(r, index);
  return tensor ? static_cast<const T*>(tensor->raw()) : nullptr;
}
// Elements of an output; null where the node leaves it out.
template <class T>
T* output_data(const RunContext& r, size_t index) {
  return index < r.outputs.size() && r.outputs[index].defined() ? static_cast<T*>(r.outputs[index].mutable_raw()) : nullptr;
}

// For each output of the node whether it has a name.
inline std::vector<bool> wanted_outputs(const model::Node& node) {
  std::vector<bool> wanted;
  for (const std::string& name : node.output) wanted.push_back(!name.empty());
  return wanted;
}
// The facts of those of `all` that the node wants.
inline std::vector<ValueFacts> keep_wanted(std::vector<ValueFacts> all, const std::vector<bool>& wanted) {
  all.resize(wanted.size());
  for (size_t i = 0; i < all.size(); ++i) {
    if (!wanted[i]) all[i] = {};
  }
  return all;
}

}  // namespace sardonyx::ops
