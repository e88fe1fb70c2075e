// Steps that a kernel makes of another operator's kernel, chosen when it is bound.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "ops/facts.h"
#include "ops/op.h"

namespace sardonyx::ops {

// A bound node of one output, with what keeps it alive.
class InnerStep {
 public:
  InnerStep() = default;
  // `attributes` decide together with the operator; `inputs` are the facts of what run() will be given.
  InnerStep(std::string op_type, int64_t opset, std::vector<model::Attribute> attributes, std::vector<ValueFacts> inputs, int threads);

  const ValueFacts& facts() const noexcept { return bound_->outputs[0]; }
  size_t scratch_bytes() const noexcept { return bound_->scratch_bytes; }
  // `out` has the type and shape of facts(); `scratch` of scratch_bytes(), aligned to 64.
  void run(std::span<const Tensor> inputs, Tensor& out, std::byte* scratch, core::ThreadPool& pool) const;

 private:
  std::shared_ptr<const Prepared> prepared_;
  std::shared_ptr<const Bound> bound_;
};

// Multiplies all elements of a floating-point tensor.
void scale_elements(Tensor& tensor, double factor);

}  // namespace sardonyx::ops
