#include "runtime/body.h"

#include <numeric>

namespace sardonyx::runtime {
namespace {

model::Graph signature_of(const model::Graph& graph, size_t own_inputs) {
  model::Graph signature;
  signature.name = graph.name;
  signature.input.assign(graph.input.begin(), graph.input.begin() + static_cast<ptrdiff_t>(own_inputs));
  signature.output = graph.output;
  return signature;
}

DType dtype_of(const Tensor& tensor) { return tensor.defined() ? tensor.dtype() : DType::kUndefined; }

// What the plan depends on: the shape of a plain tensor.
const Shape& shape_of(const Tensor& tensor) {
  static const Shape kNone;
  return tensor.defined() && tensor.dtype() != DType::kTensor ? tensor.shape() : kNone;
}

}  // namespace

ProgramBody::ProgramBody(Parts parts, const Backend& backend, const SessionOptions& options)
    : signature_(signature_of(parts.model.graph, parts.own_inputs)),
      captured_(std::move(parts.captured)),
      program_(std::move(parts.model), std::move(parts.constants), backend, options),
      plans_(options.max_plans) {}

std::shared_ptr<const Plan> ProgramBody::plan_for(std::span<const Tensor* const> inputs, core::ThreadPool& pool) const {
  std::shared_ptr<const Plan> plan = plans_.find([&](const PlanKey& key) {
    bool fits = key.threads == pool.threads();
    for (size_t i = 0; fits && i < inputs.size(); ++i)
      fits = key.dtypes[i] == dtype_of(*inputs[i]) && key.shapes[i] == shape_of(*inputs[i]);
    return fits;
  });
  if (plan) return plan;
  const core::InterruptScope to_the_end(nullptr);  // the plan outlives the run
  PlanKey key{.shapes = {}, .outputs = std::vector<size_t>(program_.outputs().size()), .threads = pool.threads()};
  std::iota(key.outputs.begin(), key.outputs.end(), size_t{0});
  for (const Tensor* input : inputs) {
    key.dtypes.push_back(dtype_of(*input));
    key.shapes.push_back(shape_of(*input));
  }
  plan = std::make_shared<const Plan>(program_, std::move(key), pool);
  return plans_.remember(std::move(plan));
}

std::vector<Tensor> ProgramBody::run(std::span<const Tensor> inputs, const ops::RunContext& context) const {
  std::vector<const Tensor*> all;
  all.reserve(inputs.size() + captured_.size());
  for (const Tensor& input : inputs) all.push_back(&input);
  for (const size_t position : captured_) all.push_back(&context.inputs[position]);
  const std::shared_ptr<const Plan> plan = plan_for(all, context.pool);
  const WorkspacePool::Lease workspace(workspaces_, plan->peak_memory());
  return plan->run(all, *workspace, {.pool = context.pool, .interrupt = context.interrupt, .lend_inputs = true});
}

}  // namespace sardonyx::runtime
