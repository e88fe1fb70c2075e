#include "ops/stages.h"

#include "core/arena.h"
#include "core/memory_budget.h"
#include "ops/facts.h"

namespace sardonyx::ops {
namespace {

class DynamicBound final : public Bound {
 public:
  DynamicBound(std::shared_ptr<const Prepared> prepared, std::vector<DType> types) : prepared_(std::move(prepared)) {
    dynamic = true;
    kernel = "dynamic";
    for (const DType type : types) outputs.push_back({type, {}, nullptr});
  }

  void run(const RunContext& context) const override {
    std::vector<ValueFacts> facts;
    for (const Tensor& tensor : context.inputs) {
      facts.push_back(tensor.defined() ? ValueFacts{tensor.dtype(), tensor.shape(), &tensor} : ValueFacts{});
    }
    const std::unique_ptr<Bound> bound = prepared_->bind({facts, context.pool.threads(), {&context.pool}});
    std::vector<Tensor> results = run_step(*bound, context.inputs, context.pool);
    for (size_t i = 0; i < results.size() && i < context.outputs.size(); ++i) context.outputs[i] = std::move(results[i]);
  }

 private:
  std::shared_ptr<const Prepared> prepared_;
};

class ValueDrivenPrepared final : public Prepared {
 public:
  ValueDrivenPrepared(std::unique_ptr<Prepared> prepared, ValueDriven rule) : prepared_(std::move(prepared)), rule_(std::move(rule)) {}

  std::unique_ptr<Bound> bind(const BindContext& context) const override {
    if (values_known(context)) return prepared_->bind(context);
    std::vector<DType> types = rule_.output_types ? rule_.output_types(context) : std::vector{required(context, 0, "0").dtype};
    return std::make_unique<DynamicBound>(prepared_, std::move(types));
  }

 private:
  bool values_known(const BindContext& context) const noexcept {
    for (size_t i = 0; i < context.inputs.size() && i < 32; ++i) {
      if ((rule_.value_inputs >> i & 1) != 0 && context.inputs[i].present() && !context.inputs[i].constant) return false;
    }
    return true;
  }

  std::shared_ptr<const Prepared> prepared_;
  ValueDriven rule_;
};

}  // namespace

std::unique_ptr<Bound> make_alias(ValueFacts output) {
  auto bound = make_bound(std::move(output), [](const RunContext& r) { copy_all(r.inputs[0], r.outputs[0]); });
  bound->alias_input = 0;
  bound->kernel = "alias";
  return bound;
}

std::unique_ptr<Bound> make_pass_on(DType dtype) {
  auto bound = make_bound(ValueFacts{dtype, {}, nullptr}, [](const RunContext& r) { r.outputs[0] = r.inputs[0]; });
  bound->dynamic = true;
  bound->may_empty = true;
  bound->kernel = "hand on";
  return bound;
}

std::vector<Tensor> run_step(const Bound& bound, std::span<const Tensor> inputs, core::ThreadPool& pool) {
  std::vector<Tensor> outputs(bound.outputs.size());
  if (bound.alias_input >= 0) {
    outputs[0] = inputs[static_cast<size_t>(bound.alias_input)].reshape(bound.outputs[0].shape);
    return outputs;
  }
  if (!bound.dynamic) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (bound.outputs[i].present()) outputs[i] = Tensor::empty(bound.outputs[i].shape, bound.outputs[i].dtype);
    }
  }
  if (bound.scratch_bytes > tensor_byte_limit()) {
    throw Error(ErrorCode::kResourceLimit, fmt::format("the operator needs {} bytes to work in, more than the {} that are allowed",
                                                       bound.scratch_bytes, tensor_byte_limit()));
  }
  const core::MemoryCharge charge(bound.scratch_bytes);
  core::Arena scratch(bound.scratch_bytes);
  bound.run({inputs, outputs, scratch.data(), pool});
  return outputs;
}

std::unique_ptr<Prepared> make_value_driven(std::unique_ptr<Prepared> prepared, ValueDriven rule) {
  return std::make_unique<ValueDrivenPrepared>(std::move(prepared), std::move(rule));
}

}  // namespace sardonyx::ops
