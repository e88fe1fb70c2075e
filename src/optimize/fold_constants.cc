#include <algorithm>

#include "core/parallel.h"
#include "optimize/evaluate.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr size_t kMaxGrowth = size_t{1} << 20;  // bytes by which a folded result may exceed what it frees

size_t attribute_bytes(const model::Node& node) {
  size_t bytes = 0;
  for (const model::Attribute& attribute : node.attribute) {
    if (attribute.t) bytes += storage_bytes(attribute.t->dtype(), element_count(attribute.t->dims));
    bytes += attribute.floats.size() * sizeof(float) + attribute.ints.size() * sizeof(int64_t);
  }
  return bytes;
}

// The elements of all inputs (null: absent), or nullopt if one is not constant.
std::optional<std::vector<const Tensor*>> constant_inputs(const GraphView& graph, const model::Node& node) {
  std::vector<const Tensor*> inputs;
  for (const std::string& input : node.input) {
    inputs.push_back(input.empty() ? nullptr : graph.constant(input));
    if (!input.empty() && !inputs.back()) return std::nullopt;
  }
  return inputs;
}

// What the node computes; nullopt where there is no kernel, where it refuses its inputs, or where the result would be too large. The error
// of a node that cannot run is the program's to report.
std::optional<std::vector<Tensor>> evaluate(const model::Node& node, int64_t opset, const std::vector<const Tensor*>& inputs,
                                            size_t freed) {
  try {
    const size_t bytes = attribute_bytes(node) + freed;
    const std::unique_ptr<ops::Prepared> prepared = ops::prepare({node, opset, inputs});
    return run_on_constants(*prepared, inputs, bytes + kMaxGrowth, core::shared_pool());
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Bytes of the constants that nobody else reads.
size_t freed_bytes(const GraphView& graph, const model::Node& node, const std::vector<const Tensor*>& inputs) {
  size_t bytes = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] && graph.sole_consumer(node.input[i])) bytes += inputs[i]->byte_size();
  }
  return bytes;
}

}  // namespace

// Quantised weights stay quantised until it is clear who reads them.
std::optional<Patch> fold_constants(const GraphView& graph, size_t index) {
  return graph.node(index)->op_type == "DequantizeLinear" ? std::nullopt : fold_dequantized(graph, index);
}

std::optional<Patch> fold_dequantized(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (has_subgraph(node) || !is_deterministic(node, graph.opset(node.domain))) return std::nullopt;
  const std::optional<std::vector<const Tensor*>> inputs = constant_inputs(graph, node);
  if (!inputs) return std::nullopt;
  const std::optional<std::vector<Tensor>> results = evaluate(node, graph.opset(node.domain), *inputs, freed_bytes(graph, node, *inputs));
  if (!results) return std::nullopt;
  Patch patch{.remove = {index}};
  for (size_t i = 0; i < node.output.size(); ++i) {
    const std::string& output = node.output[i];
    if (output.empty()) continue;
    if (i >= results->size() || !(*results)[i].defined()) return std::nullopt;
    const Tensor& value = (*results)[i];
    if (value.dtype() == DType::kTensor) return std::nullopt;  // no initializer holds a sequence or a map
    if (!graph.admits(output, value.dtype(), value.shape())) return std::nullopt;
    patch.constants.push_back(model::encode(value, output));
  }
  return patch;
}

}  // namespace sardonyx::optimize
