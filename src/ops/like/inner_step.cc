#include "ops/like/inner_step.h"

#include <algorithm>

namespace sardonyx::ops {

InnerStep::InnerStep(std::string op_type, int64_t opset, std::vector<model::Attribute> attributes, std::vector<ValueFacts> inputs,
                     int threads) {
  model::Node node;
  node.op_type = std::move(op_type);
  node.attribute = std::move(attributes);
  std::vector<const Tensor*> constants;
  for (const ValueFacts& input : inputs) {
    node.input.push_back("x" + std::to_string(node.input.size()));
    constants.push_back(input.constant);
  }
  node.output = {"y"};
  prepared_ = ops::prepare({node, opset, constants});
  bound_ = prepared_->bind({inputs, threads});
}

void InnerStep::run(std::span<const Tensor> inputs, Tensor& out, std::byte* scratch, core::ThreadPool& pool) const {
  bound_->run({inputs, {&out, 1}, scratch, pool});
}

void scale_elements(Tensor& tensor, double factor) {
  const auto scale = [&]<class T>(T) {
    for (T& value : tensor.mutable_values<T>()) value *= static_cast<T>(factor);
  };
  if (factor == 1) return;
  if (tensor.dtype() == DType::kFloat32) return scale(float{});
  if (tensor.dtype() == DType::kFloat64) return scale(double{});
  Tensor wide = tensor.to(DType::kFloat32);
  for (float& value : wide.mutable_values<float>()) value *= static_cast<float>(factor);
  copy_all(wide.to(tensor.dtype()), tensor);
}

}  // namespace sardonyx::ops
