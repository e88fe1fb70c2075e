#include "optimize/evaluate.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// Whether Dropout passes its input through. Before opset 7 its attribute is_test tells; from 12 on its input training_mode.
bool is_idle_dropout(const GraphView& graph, const model::Node& node) {
  if (node.output.size() > 1 && graph.is_used(node.output[1])) return false;
  if (graph.opset(node.domain) < 7) return model::get_int(node, "is_test", 0) != 0;
  if (is_deterministic(node, graph.opset(node.domain))) return true;
  const Tensor* training = graph.constant(node.input[2]);
  return training && training->dtype() == DType::kBool && training->numel() == 1 && !training->item<bool>();
}

}  // namespace

std::optional<Patch> remove_identity(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!is_onnx_domain(node.domain) || node.input.empty() || node.output.empty()) return std::nullopt;
  const std::string &from = node.output[0], &to = node.input[0];
  const bool idle = node.op_type == "Identity" || (node.op_type == "Dropout" && is_idle_dropout(graph, node));
  if (!idle || from.empty() || !graph.can_replace(from, to)) return std::nullopt;
  return Patch{.remove = {index}, .replace = {{from, to}}};
}

}  // namespace sardonyx::optimize
