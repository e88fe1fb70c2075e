// x * sigmoid(alpha * x): SiLU, which is Swish with alpha 1, and the quick approximation of Gelu with alpha 1.702.
#include <cmath>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kOwnOperator = 24;  // from this opset on ai.onnx has Swish

model::Node swish(const GraphView& graph, const model::Node& root, const std::string& x, double alpha) {
  const bool own = graph.opset("") >= kOwnOperator;
  model::Node node = named_like(root, own ? "" : "com.microsoft", own ? "Swish" : "QuickGelu", {x}, first_output(root));
  node.attribute.push_back(model::Attribute::of("alpha", static_cast<float>(alpha)));
  return node;
}

}  // namespace

std::optional<Patch> fuse_swish(const GraphView& graph, size_t index) {
  const model::Node& root = *graph.node(index);
  if (!is_onnx_node(root, "Mul")) return std::nullopt;
  const std::vector<Polynomial::Term> whole = {{1, 1, 1}};
  for (const size_t inner : reachable_nodes(graph, first_output(root), "Sigmoid")) {
    const std::string& argument = graph.node(inner)->input.at(0);
    for (const std::string& x : reachable_by_arithmetic(graph, argument)) {
      Match match(graph, index);
      match.add(inner);
      const DType dtype = graph.dtype(x);
      const auto of_argument = polynomial_of(match, argument, x, "");
      const auto of_root = polynomial_of(match, first_output(root), x, first_output(*graph.node(inner)));
      if (!of_argument || !of_root || !of_root->is(whole, dtype)) continue;
      const double alpha = of_argument->coefficient[1][0];
      if (!of_argument->is(std::vector<Polynomial::Term>{{1, 0, alpha}}, dtype) || !std::isfinite(alpha)) continue;
      if (!is_float_type(dtype)) return graph.refuse(index, "Swish: the element type is not known");
      // The attribute is a float.
      if (static_cast<double>(static_cast<float>(alpha)) != alpha && dtype == DType::kFloat64) {
        return graph.refuse(index, "Swish: the factor has more digits than its attribute");
      }
      return match.replaced_by(swish(graph, root, x, alpha));
    }
  }
  return std::nullopt;
}

}  // namespace sardonyx::optimize
