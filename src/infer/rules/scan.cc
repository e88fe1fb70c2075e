// Scan: version 8 scans along the second axis of batches, later ones along any axis, without batches.
#include <fmt/format.h>

#include <algorithm>

#include "infer/arithmetic.h"
#include "infer/rules.h"
#include "infer/rules/subgraph.h"

namespace sardonyx::infer {

namespace {
struct ScanNode {
  bool is_batched;  // version 8
  size_t first;     // version 8 has lengths of the sequences before the values
  size_t states, scan_inputs, scan_outputs;
  std::vector<int64_t> input_axes, output_axes;
  Dim batch, length;
};

std::vector<int64_t> scan_axes(const NodeContext& context, std::string_view name, size_t count) {
  const std::optional<std::vector<int64_t>> axes = context.ints_attribute(name);
  if (axes && axes->size() != count) context.fail(fmt::format("'{}' must have {} axes, it has {}", name, count, axes->size()));
  return axes ? *axes : std::vector<int64_t>(count, 0);
}

ScanNode scan_node(const NodeContext& context) {
  ScanNode scan{};
  scan.is_batched = context.version() == 8;
  scan.first = scan.is_batched ? 1 : 0;
  const size_t values = context.inputs() - std::min(context.inputs(), scan.first);
  if (context.attribute("num_scan_inputs") == nullptr) context.fail("attribute 'num_scan_inputs' is missing");
  const int64_t count = model::get_int(context.node(), "num_scan_inputs", 0);
  if (count < 0 || static_cast<uint64_t>(count) > values) {
    context.fail(fmt::format("'num_scan_inputs' is {}, the node has {} values", count, values));
  }
  scan.scan_inputs = static_cast<size_t>(count);
  scan.states = values - scan.scan_inputs;
  if (context.outputs() < scan.states) {
    context.fail(fmt::format("the node has {} state variables and only {} outputs", scan.states, context.outputs()));
  }
  scan.scan_outputs = context.outputs() - scan.states;
  if (!scan.is_batched) {
    scan.input_axes = scan_axes(context, "scan_input_axes", scan.scan_inputs);
    scan.output_axes = scan_axes(context, "scan_output_axes", scan.scan_outputs);
  }
  return scan;
}

// Takes a dimension out of an input's shape.
Dim take(const NodeContext& context, Dims& dims, int64_t axis, size_t input) {
  if (dims.empty()) context.fail(fmt::format("input {} is a scalar, it must have an axis to scan", input));
  const auto at = dims.begin() + static_cast<Dims::difference_type>(context.axis(axis, dims.size()));
  const Dim dim = *at;
  dims.erase(at);
  return dim;
}

// The type of one step of a value of the node.
ValueType step_type(const NodeContext& context, ScanNode& scan, size_t value) {
  const size_t input = scan.first + value;
  ValueType type = context.type(input);
  if (type.is_known() && !type.is_tensor()) context.fail(fmt::format("input {} must be a tensor, it is {}", input, type_text(type)));
  if (!type.has_rank) return type;
  if (scan.is_batched) scan.batch = merge(context, scan.batch, take(context, type.dims, 0, input), "batch sizes of the inputs");
  if (value >= scan.states) {
    const int64_t axis = scan.is_batched ? 0 : scan.input_axes[value - scan.states];
    scan.length = merge(context, scan.length, take(context, type.dims, axis, input), "lengths of the scan inputs");
  }
  return type;
}

ValueType state_type(const NodeContext& context, const ScanNode& scan, size_t state, ValueType made) {
  const ValueType& initial = context.type(scan.first + state);
  const std::string what = fmt::format("state variable {}, before and after a step", state);
  if (scan.is_batched && made.has_rank) made.dims.insert(made.dims.begin(), scan.batch);
  return merge_tensors(context, initial, made, what);
}

ValueType scanned_type(const NodeContext& context, const ScanNode& scan, size_t output, ValueType made) {
  if (!made.has_rank) return made;
  if (scan.is_batched) {
    made.dims.insert(made.dims.begin(), {scan.batch, scan.length});
    return made;
  }
  const size_t axis = context.axis(scan.output_axes[output], made.dims.size() + 1);
  made.dims.insert(made.dims.begin() + static_cast<Dims::difference_type>(axis), scan.length);
  return made;
}
}  // namespace

// Scan, all versions. State variables keep their shape; what a step makes besides is stacked along an axis.
void infer_scan(NodeContext& context) {
  ScanNode scan = scan_node(context);
  std::vector<ValueType> inputs;
  for (size_t i = 0; i < scan.states + scan.scan_inputs; ++i) inputs.push_back(step_type(context, scan, i));
  const std::vector<Value> made = infer_graph(context, "body", inputs);
  if (made.size() != context.outputs()) {
    context.fail(fmt::format("body makes {} values, the node has {} outputs", made.size(), context.outputs()));
  }
  for (size_t i = 0; i < made.size(); ++i) {
    const ValueType& type = made[i].type;
    if (type.is_known() && !type.is_tensor()) context.fail(fmt::format("output {} of body must be a tensor, it is {}", i, type_text(type)));
    context.set_type(i, i < scan.states ? state_type(context, scan, i, type) : scanned_type(context, scan, i - scan.states, type));
  }
}

}  // namespace sardonyx::infer
