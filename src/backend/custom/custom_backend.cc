#include "backend/custom/custom_backend.h"

#include <fmt/format.h>

#include <algorithm>

#include "custom/node.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::backend {
namespace {

// What the kernels of one node have at hand. `ops` keeps `op` alive.
struct NodeKernel {
  std::shared_ptr<const CustomOps> ops;
  const CustomOp& op;
  model::Node node;
  CustomKernel kernel;
};

bool fits(const Tensor& tensor, const TensorFacts& told) {
  if (!tensor.defined() || tensor.dtype() != told.dtype) return false;
  return std::ranges::equal(tensor.shape(), told.shape, [](int64_t size, int64_t expected) { return expected < 0 || size == expected; });
}

void check_results(const NodeKernel& of, const std::vector<TensorFacts>& told, const std::vector<Tensor>& outputs) {
  for (size_t i = 0; i < told.size(); ++i) {
    if (of.node.output[i].empty()) continue;
    if (i >= outputs.size() || !fits(outputs[i], told[i])) {
      throw Error(ErrorCode::kInternal, fmt::format("run of the custom operator {} left output {} as something else than infer told: {} {}",
                                                    custom::full_name(of.op), i, type_string(told[i].dtype), to_string(told[i].shape)));
    }
  }
}

void run(const NodeKernel& of, const std::vector<TensorFacts>& told, const ops::RunContext& r) {
  const std::vector<Tensor> inputs(r.inputs.begin(), r.inputs.end());
  std::vector<Tensor> outputs(r.outputs.begin(), r.outputs.end());
  for (size_t i = 0; i < told.size() && i < outputs.size(); ++i) {
    const bool to_be_made = !outputs[i].defined() && !of.node.output[i].empty() && custom::is_known(told[i]);
    if (to_be_made) outputs[i] = Tensor::empty(told[i].shape, told[i].dtype);
  }
  custom::blame(of.op, "run", [&] { of.kernel.run(inputs, outputs); });
  check_results(of, told, outputs);
  for (size_t i = 0; i < told.size() && i < r.outputs.size(); ++i) {
    if (of.node.output[i].empty()) continue;
    if (r.outputs[i].defined()) {
      ops::copy_all(outputs[i], r.outputs[i]);  // nothing where the kernel filled the tensor that it was given
    } else {
      r.outputs[i] = outputs[i];
    }
  }
}

std::unique_ptr<ops::Bound> bind(const std::shared_ptr<const NodeKernel>& of, const ops::BindContext& context) {
  std::vector<TensorFacts> inputs;
  for (const ops::ValueFacts& input : context.inputs) inputs.push_back({input.dtype, input.shape});
  std::vector<TensorFacts> told = custom::infer(of->op, of->kernel, of->node, inputs);
  const bool dynamic = !std::ranges::all_of(told, custom::is_known);
  std::vector<ops::ValueFacts> outputs;
  for (size_t i = 0; i < told.size(); ++i) {
    if (of->node.output[i].empty()) {
      outputs.emplace_back();
    } else {
      outputs.push_back(dynamic ? ops::ValueFacts{told[i].dtype, {}, nullptr} : ops::output(told[i].dtype, told[i].shape));
    }
  }
  auto bound = ops::make_bound(std::move(outputs), [of, told = std::move(told)](const ops::RunContext& r) { run(*of, told, r); });
  bound->dynamic = dynamic;
  bound->kernel = "custom";
  return bound;
}

class CustomBackend final : public runtime::Backend {
 public:
  CustomBackend(const runtime::Backend& base, std::shared_ptr<const CustomOps> ops) : base_(base), ops_(std::move(ops)) {}

  std::string_view name() const noexcept override { return base_.name(); }

  std::string refusal(const model::Node& node, int64_t opset) const override {
    return ops_->find(node.domain, node.op_type, opset) ? "" : base_.refusal(node, opset);
  }

  std::unique_ptr<ops::Prepared> prepare(const ops::PrepareContext& context) const override {
    const CustomOp* op = ops_->find(context.node.domain, context.node.op_type, context.opset);
    if (!op) return base_.prepare(context);
    return with_trail(
        [&] { return model::describe(context.node); },
        [&] {
          auto of = std::make_shared<const NodeKernel>(NodeKernel{ops_, *op, context.node, custom::make_kernel(*op, context.node)});
          return ops::make_prepared([of](const ops::BindContext& c) { return bind(of, c); });
        });
  }

 private:
  const runtime::Backend& base_;
  std::shared_ptr<const CustomOps> ops_;
};

}  // namespace

std::unique_ptr<runtime::Backend> with_custom_ops(const runtime::Backend& base, std::shared_ptr<const CustomOps> ops) {
  return std::make_unique<CustomBackend>(base, std::move(ops));
}

}  // namespace sardonyx::backend
