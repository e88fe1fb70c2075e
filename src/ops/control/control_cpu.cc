// If (opset 1), Loop (opset 1), SequenceMap (opset 17).
#include <algorithm>
#include <limits>

#include "ops/control/bodies.h"
#include "ops/control/stack.h"
#include "ops/facts.h"
#include "ops/stages.h"

namespace sardonyx::ops {
namespace {

bool truth(const Tensor& tensor, std::string_view name) {
  if (!tensor.defined() || tensor.dtype() != DType::kBool || tensor.numel() != 1) {
    throw argument_error("{} must be one bool; it is {}", name,
                         !tensor.defined() ? "an empty optional" : type_string(tensor.dtype()) + " " + to_string(tensor.shape()));
  }
  return tensor.values<bool>()[0];
}

void hand_out(std::vector<Tensor>&& results, std::span<Tensor> outputs) { std::ranges::move(results, outputs.begin()); }

// Old models declare the iteration number and the condition with shape [1].
Shape one_element(const model::ValueInfo& declared) {
  const model::TensorType* type = declared.type.tensor();
  return Shape(type && type->has_shape && type->shape.dims.size() == 1 ? 1 : 0, 1);
}

struct LoopSpec {
  std::shared_ptr<const Body> body;
  size_t carried = 0;  // values from iteration to iteration
  size_t stacked = 0;  // outputs that get one slice from each
};

class LoopRun {
 public:
  LoopRun(const LoopSpec& spec, const RunContext& context)
      : spec_(spec), context_(context), number_(one_element(spec.body->signature().input[0]), DType::kInt64), slices_(spec.stacked) {
    const Tensor* trips = optional(context, 0);
    if (trips && (trips->dtype() != DType::kInt64 || trips->numel() != 1)) throw argument_error("M must be one int64");
    limit_ = trips ? trips->values<int64_t>()[0] : std::numeric_limits<int64_t>::max();
    const Tensor* condition = optional(context, 1);
    go_on_ = !condition || truth(*condition, "cond");
    const bool value = go_on_;
    state_.push_back(number_);
    state_.push_back(Tensor(one_element(spec.body->signature().input[1]), DType::kBool));
    state_[1].mutable_values<bool>()[0] = value;
    for (size_t i = 0; i < spec.carried; ++i) state_.push_back(context.inputs[2 + i]);
  }

  void run() {
    int64_t iteration = 0;
    for (; go_on_ && iteration < limit_; ++iteration) {
      with_trail([&] { return fmt::format("iteration {}", iteration); }, [&] { step(iteration); });
    }
    const std::vector<model::ValueInfo>& declared = spec_.body->signature().output;
    for (size_t i = 0; i < spec_.carried; ++i) context_.outputs[i] = state_[2 + i];
    for (size_t i = 0; i < spec_.stacked; ++i) {
      const model::ValueInfo& slice = declared[1 + spec_.carried + i];
      context_.outputs[spec_.carried + i] =
          iteration == 0 ? empty_stack(slice, 0) : stack(slices_[i], 0, iteration, slice.name, context_.pool);
    }
  }

 private:
  void step(int64_t iteration) {
    if (context_.interrupt) context_.interrupt->check();
    number_.mutable_values<int64_t>()[0] = iteration;
    std::vector<Tensor> results = spec_.body->run(state_, context_);
    go_on_ = truth(results[0], "the condition that the body gives");
    for (size_t i = 0; i < spec_.carried; ++i) state_[2 + i] = kept(std::move(results[1 + i]));
    for (size_t i = 0; i < spec_.stacked; ++i) slices_[i].push_back(kept(std::move(results[1 + spec_.carried + i])));
    state_[1].mutable_values<bool>()[0] = go_on_;
  }

  // The next iteration writes the iteration number and the condition again.
  Tensor kept(Tensor&& result) const {
    const bool is_written = result.defined() && result.numel() > 0 && (result.raw() == number_.raw() || result.raw() == state_[1].raw());
    return is_written ? result.clone() : std::move(result);
  }

  const LoopSpec& spec_;
  const RunContext& context_;
  Tensor number_;
  std::vector<Tensor> state_;  // as the body takes it: number, condition, values
  std::vector<std::vector<Tensor>> slices_;
  int64_t limit_ = 0;
  bool go_on_ = true;
};

// Whether the input is left out, or known to hold a value for which holds(value) is true.
template <class T, class Holds>
bool is_certain(const BindContext& context, size_t input, const Holds& holds) {
  const ValueFacts* facts = optional(context, input);
  if (!facts) return true;
  return facts->constant && facts->constant->dtype() == kDTypeOf<T> && facts->constant->numel() == 1 && holds(facts->constant->item<T>());
}

// Of the first iteration, if it is certain to come.
size_t loop_bytes(const LoopSpec& spec, const BindContext& context) {
  if (!is_certain<int64_t>(context, 0, [](int64_t trips) { return trips > 0; })) return 0;
  if (!is_certain<bool>(context, 1, [](bool condition) { return condition; })) return 0;
  const model::Graph& signature = spec.body->signature();
  std::vector<ValueFacts> inputs = {{DType::kInt64, one_element(signature.input[0]), nullptr},
                                    {DType::kBool, one_element(signature.input[1]), nullptr}};
  for (size_t i = 0; i < spec.carried; ++i) inputs.push_back(context.inputs[2 + i]);
  return bytes_of(*spec.body, inputs, context);
}

// Of the branch that is taken, or, where that is open, of the one that takes less.
size_t branch_bytes(const Body& then_branch, const Body& else_branch, const BindContext& context) {
  const auto is = [&](bool wanted) { return is_certain<bool>(context, 0, [&](bool condition) { return condition == wanted; }); };
  if (is(true)) return bytes_of(then_branch, {}, context);
  if (is(false)) return bytes_of(else_branch, {}, context);
  return std::min(bytes_of(then_branch, {}, context), bytes_of(else_branch, {}, context));
}

// The item of a sequence, or the tensor that all items share.
Tensor item_at(const Tensor& value, size_t index) { return value.dtype() == DType::kTensor ? value.tensors()[index] : value; }

void map_sequence(const Body& body, size_t own_inputs, const RunContext& context) {
  const std::span<const Tensor> given = context.inputs.first(own_inputs);
  if (!given[0].defined() || given[0].dtype() != DType::kTensor) throw argument_error("input_sequence is no sequence");
  const size_t count = given[0].tensors().size();
  for (const Tensor& value : given) {
    if (!value.defined()) throw argument_error("an additional input is missing");
    if (value.dtype() == DType::kTensor && value.tensors().size() != count) {
      throw argument_error("the sequences have {} and {} items; they must be equally long", count, value.tensors().size());
    }
  }
  std::vector<std::vector<Tensor>> columns(context.outputs.size());
  for (size_t index = 0; index < count; ++index) {
    std::vector<Tensor> inputs;
    for (const Tensor& value : given) inputs.push_back(item_at(value, index));
    std::vector<Tensor> results = with_trail([&] { return fmt::format("item {}", index); }, [&] { return body.run(inputs, context); });
    for (size_t i = 0; i < columns.size(); ++i) columns[i].push_back(std::move(results[i]));
  }
  for (size_t i = 0; i < columns.size(); ++i) context.outputs[i] = Tensor::of_tensors(std::move(columns[i]));
}

}  // namespace

std::unique_ptr<Prepared> prepare_if(const PrepareContext& context) {
  const size_t outputs = context.node.output.size();
  const std::shared_ptr<const Body> then_branch = body_of(context, "then_branch"), else_branch = body_of(context, "else_branch");
  for (const auto& [body, name] : {std::pair(then_branch, "then_branch"), std::pair(else_branch, "else_branch")}) {
    require_body_inputs(*body, name, 0);
    require_body_outputs(*body, name, outputs);
  }
  const auto run = [=](const RunContext& r) {
    const bool condition = truth(r.inputs[0], "cond");
    with_trail([&] { return condition ? "then_branch" : "else_branch"; },
               [&] { hand_out((condition ? then_branch : else_branch)->run({}, r), r.outputs); });
  };
  return make_control(outputs, "branch", run, [=](const BindContext& b) { return branch_bytes(*then_branch, *else_branch, b); });
}

std::unique_ptr<Prepared> prepare_loop(const PrepareContext& context) {
  LoopSpec spec{body_of(context, "body")};
  const size_t own_inputs = context.node.input.size(), outputs = context.node.output.size();
  spec.carried = own_inputs > 2 ? own_inputs - 2 : 0;
  if (outputs < spec.carried)
    throw model_error("the node has {} outputs for {} values that go from iteration to iteration", outputs, spec.carried);
  spec.stacked = outputs - spec.carried;
  require_body_inputs(*spec.body, "body", 2 + spec.carried);
  require_body_outputs(*spec.body, "body", 1 + outputs);
  if (own_inputs < 2) throw model_error("M and cond must be listed; an empty name stands for one that is left out");
  return make_control(
      outputs, "loop", [spec](const RunContext& r) { LoopRun(spec, r).run(); },
      [spec](const BindContext& b) { return loop_bytes(spec, b); });
}

std::unique_ptr<Prepared> prepare_sequence_map(const PrepareContext& context) {
  const std::shared_ptr<const Body> body = body_of(context, "body");
  const size_t own_inputs = context.node.input.size(), outputs = context.node.output.size();
  require_body_inputs(*body, "body", own_inputs);
  require_body_outputs(*body, "body", outputs);
  return make_control(outputs, "map", [=](const RunContext& r) { map_sequence(*body, own_inputs, r); });
}

}  // namespace sardonyx::ops
