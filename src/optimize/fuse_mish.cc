// Mish: x * tanh(softplus(x)).
#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> fuse_mish(const GraphView& graph, size_t index) {
  constexpr int64_t kOwnOperator = 18;  // from this opset on ai.onnx has Mish
  const model::Node& root = *graph.node(index);
  if (!is_onnx_node(root, "Mul") || root.input.size() != 2) return std::nullopt;
  for (const std::string& factor : root.input) {
    Match match(graph, index);
    const model::Node* tanh = match.add(factor, "Tanh");
    const model::Node* softplus = tanh ? match.add(tanh->input.at(0), "Softplus") : nullptr;
    if (!softplus || other_operand(root, factor) != softplus->input.at(0)) continue;
    const std::string& x = softplus->input[0];
    if (!is_float_type(graph.dtype(x))) return graph.refuse(index, "Mish: the element type is not known");
    return match.replaced_by(named_like(root, graph.opset("") >= kOwnOperator ? "" : kFusedDomain, "Mish", {x}, first_output(root)));
  }
  return std::nullopt;
}

}  // namespace sardonyx::optimize
