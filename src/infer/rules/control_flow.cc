// If and Loop.
#include <fmt/format.h>

#include "infer/rules.h"
#include "infer/rules/subgraph.h"

namespace sardonyx::infer {

namespace {
void expect_outputs(const NodeContext& context, std::string_view branch, size_t count) {
  if (count != context.outputs()) context.fail(fmt::format("the node has {} outputs, {} has {}", context.outputs(), branch, count));
}

// The branch that is always taken says all; what contradicts in the other one does no harm.
void infer_taken(NodeContext& context, bool condition) {
  const std::string_view taken = condition ? "then_branch" : "else_branch";
  std::vector<Value> values = infer_graph(context, taken, {});
  expect_outputs(context, taken, values.size());
  const std::string_view untaken = condition ? "else_branch" : "then_branch";
  context.infer_untaken(graph_attribute(context, untaken), untaken);
  for (size_t i = 0; i < context.outputs(); ++i) {
    context.set_type(i, values[i].type);
    context.set_elements(i, values[i].elements);
  }
}
}  // namespace

// If, all versions: each output has what both branches say of it. In version 1 the branches make values of one shape, later they may
// differ.
void infer_if(NodeContext& context) {
  const std::optional<std::vector<int64_t>> condition = context.ints(0);
  if (condition && condition->size() == 1) return infer_taken(context, condition->front() != 0);
  const std::vector<Value> then_values = infer_graph(context, "then_branch", {});
  const std::vector<Value> else_values = infer_graph(context, "else_branch", {});
  expect_outputs(context, "then_branch", then_values.size());
  expect_outputs(context, "else_branch", else_values.size());
  for (size_t i = 0; i < context.outputs(); ++i) {
    const std::string what = fmt::format("output {} of then_branch and else_branch", i);
    const ValueType &then_type = then_values[i].type, &else_type = else_values[i].type;
    const bool has_one_shape = context.version() == 1;
    context.set_type(i,
                     has_one_shape ? merge_tensors(context, then_type, else_type, what) : join_types(context, then_type, else_type, what));
  }
}

namespace {
// A body is tried with the shapes that its values begin with, then with what is left of them after a try, then with the ranks alone. The
// last resort, and all that is done deep inside other tries (each would multiply those around it), is a pass that assumes no shapes.
constexpr int kMaxTries = 3;
constexpr int kTriesWithinTries = 4;

std::string carried_name(size_t i) { return fmt::format("loop-carried value {}", i); }

// The iteration number is a scalar; bodies that declare it as a vector of one element are in use.
ValueType iteration_type(const model::Graph& body) {
  ValueType type = ValueType::tensor(DType::kInt64);
  const model::TensorType* declared = body.input.empty() ? nullptr : body.input[0].type.tensor();
  type.has_rank = declared == nullptr || !declared->has_shape;
  return type;
}

std::vector<ValueType> loop_inputs(const NodeContext& context, const std::vector<ValueType>& carried) {
  std::vector<ValueType> inputs = {iteration_type(graph_attribute(context, "body"))};
  inputs.push_back(context.type(1).is_known() ? context.type(1) : ValueType::tensor(DType::kBool));
  inputs.insert(inputs.end(), carried.begin(), carried.end());
  return inputs;
}

// Whether a body takes an optional and makes the value that may be in it: what the loop ends with is then as its output is declared.
bool fills_optional(const ValueType& carried, const ValueType& made) {
  return carried.kind == ValueType::Kind::kOptional && carried.element != nullptr && carried.element->kind == made.kind;
}

ValueType join_carried(const NodeContext& context, const ValueType& carried, const ValueType& made, size_t i) {
  if (!fills_optional(carried, made)) return join_types(context, carried, made, carried_name(i));
  return ValueType::optional(join_types(context, *carried.element, made, carried_name(i)));
}

std::vector<Value> infer_iterations(const NodeContext& context, std::vector<ValueType> carried) {
  for (int i = 0; i < kMaxTries && context.tries() < kTriesWithinTries; ++i) {
    std::optional<std::vector<Value>> made = try_graph(context, "body", loop_inputs(context, carried));
    if (!made) break;
    bool is_stable = true;
    for (size_t k = 0; k < carried.size(); ++k) {
      ValueType joined = join_carried(context, carried[k], (*made)[k + 1].type, k);
      is_stable = is_stable && same_types(joined, carried[k]);
      carried[k] = std::move(joined);
    }
    if (is_stable) return std::move(*made);
    if (i + 2 == kMaxTries) {
      for (ValueType& type : carried) type.dims.assign(type.dims.size(), Dim());
    }
  }
  for (ValueType& type : carried) type = without_shapes(std::move(type));
  return infer_graph(context, "body", loop_inputs(context, carried));
}

// What an iteration makes, stacked: the number of iterations is not known.
ValueType stacked(const NodeContext& context, ValueType type, size_t output) {
  if (!type.is_known()) return type;
  if (!type.is_tensor()) context.fail(fmt::format("scan output {} must be a tensor, body makes {}", output, type_text(type)));
  if (type.has_rank) type.dims.insert(type.dims.begin(), Dim());
  return type;
}
}  // namespace

// Loop, all versions: inputs (M, cond, carried...), body (iteration, cond, carried...) => (cond, carried..., scanned...), outputs
// (carried..., scanned...). A carried value is the initial one or what an iteration made.
void infer_loop(NodeContext& context) {
  const model::Graph& body = graph_attribute(context, "body");
  std::vector<ValueType> initial;
  for (size_t i = 2; i < context.inputs(); ++i) initial.push_back(context.type(i));
  if (body.output.size() != context.outputs() + 1 || context.outputs() < initial.size()) {
    context.fail(
        fmt::format("{} loop-carried values: body must make a condition, these and the scan outputs, it makes {} values; "
                    "the node has {} outputs, one less is expected",
                    initial.size(), body.output.size(), context.outputs()));
  }
  const std::vector<Value> made = infer_iterations(context, initial);
  for (size_t i = 0; i < context.outputs(); ++i) {
    const ValueType& type = made[i + 1].type;
    if (i >= initial.size()) {
      context.set_type(i, stacked(context, type, i));
    } else if (!fills_optional(initial[i], type)) {
      context.set_type(i, join_carried(context, initial[i], type, i));
    }
  }
}

}  // namespace sardonyx::infer
