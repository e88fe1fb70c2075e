#include "runtime/body.h"

#include <numeric>

#include "core/memory_budget.h"

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
const Shape kNoShape;
bool is_plain(DType dtype) { return dtype != DType::kUndefined && dtype != DType::kTensor; }
const Shape& planned_shape(const Tensor& tensor) { return is_plain(dtype_of(tensor)) ? tensor.shape() : kNoShape; }
const Shape& planned_shape(const ops::ValueFacts& facts) { return is_plain(facts.dtype) ? facts.shape : kNoShape; }

}  // namespace

ProgramBody::ProgramBody(Parts parts, const Backend& backend, const SessionOptions& options, const ProgramShare& share)
    : signature_(signature_of(parts.model.graph, parts.own_inputs)),
      captured_(std::move(parts.captured)),
      program_(std::move(parts.model), std::move(parts.constants), backend, options, share),
      is_limited_(options.max_memory != 0),
      workspaces_(share.workspaces),
      plans_(options.max_plans) {}

template <class DTypeOf, class ShapeOf>
std::shared_ptr<const Plan> ProgramBody::plan_for(size_t count, const DTypeOf& dtype_of, const ShapeOf& shape_of,
                                                  core::ThreadPool& pool) const {
  std::shared_ptr<const Plan> plan = plans_.find([&](const PlanKey& key) {
    bool fits = key.threads == pool.threads();
    for (size_t i = 0; fits && i < count; ++i) fits = key.dtypes[i] == dtype_of(i) && key.shapes[i] == shape_of(i);
    return fits;
  });
  if (plan) return plan;
  PlanKey key{.shapes = {}, .outputs = std::vector<size_t>(program_.outputs().size()), .threads = pool.threads()};
  std::iota(key.outputs.begin(), key.outputs.end(), size_t{0});
  for (size_t i = 0; i < count; ++i) {
    key.dtypes.push_back(dtype_of(i));
    key.shapes.push_back(shape_of(i));
  }
  const core::MemoryScope not_counted(nullptr);  // what a plan keeps outlives the run
  plan = std::make_shared<const Plan>(program_, std::move(key), pool);
  return plans_.remember(std::move(plan));
}

std::vector<Tensor> ProgramBody::run(std::span<const Tensor> inputs, const ops::RunContext& context) const {
  std::vector<const Tensor*> all;
  all.reserve(inputs.size() + captured_.size());
  for (const Tensor& input : inputs) all.push_back(&input);
  for (const size_t position : captured_) all.push_back(&context.inputs[position]);
  const auto dtype = [&](size_t i) { return dtype_of(*all[i]); };
  const auto shape = [&](size_t i) -> const Shape& { return planned_shape(*all[i]); };
  const std::shared_ptr<const Plan> plan = plan_for(all.size(), dtype, shape, context.pool);
  const core::MemoryCharge charge(plan->peak_memory());
  const WorkspacePool::Lease workspace(*workspaces_, plan->peak_memory());
  return plan->run(all, *workspace, {.pool = context.pool, .interrupt = context.interrupt, .lend_inputs = true});
}

size_t ProgramBody::bytes(std::span<const ops::ValueFacts> inputs, const ops::BindContext& context) const {
  if (!is_limited_ || !context.packing.pool) return 0;
  std::vector<const ops::ValueFacts*> all;
  for (const ops::ValueFacts& input : inputs) all.push_back(&input);
  for (const size_t position : captured_) all.push_back(&context.inputs[position]);
  const auto dtype = [&](size_t i) { return all[i]->dtype; };
  const auto shape = [&](size_t i) -> const Shape& { return planned_shape(*all[i]); };
  const std::shared_ptr<const Plan> plan = plan_for(all.size(), dtype, shape, *context.packing.pool);
  return plan->peak_memory() + plan->output_memory() + plan->inner_memory();
}

}  // namespace sardonyx::runtime
