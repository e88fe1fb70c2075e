// Gelu in all spellings: x times its normal distribution by Erf, or the approximation by Tanh.
#include <cmath>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kOwnOperator = 20;  // from this opset on ai.onnx has Gelu

struct Spelling {
  std::string_view inner;                  // the operator applied to an argument
  std::vector<Polynomial::Term> argument;  // of x
  const char* name;                        // in com.microsoft
  const char* approximate;                 // in ai.onnx
};

const std::vector<Spelling>& spellings() {
  static const double tanh_factor = std::sqrt(8 / std::acos(-1.0)) / 2;
  static const std::vector<Spelling> rows = {
      {"Erf", {{1, 0, std::sqrt(0.5)}}, "Gelu", "none"},
      {"Tanh", {{1, 0, tanh_factor}, {3, 0, 0.044715 * tanh_factor}}, "FastGelu", "tanh"},
  };
  return rows;
}

model::Node gelu(const GraphView& graph, const model::Node& root, const Spelling& spelling, const std::string& x) {
  if (graph.opset("") < kOwnOperator) return named_like(root, "com.microsoft", spelling.name, {x}, first_output(root));
  model::Node node = named_like(root, "", "Gelu", {x}, first_output(root));
  node.attribute.push_back(model::Attribute::of("approximate", spelling.approximate));
  return node;
}

}  // namespace

std::optional<Patch> fuse_gelu(const GraphView& graph, size_t index) {
  const model::Node& root = *graph.node(index);
  if (!is_onnx_node(root, "Mul") && !is_onnx_node(root, "Div") && !is_onnx_node(root, "Add")) return std::nullopt;
  const std::vector<Polynomial::Term> whole = {{1, 0, 0.5}, {1, 1, 0.5}};
  for (const Spelling& spelling : spellings()) {
    for (const size_t inner : reachable_nodes(graph, first_output(root), spelling.inner)) {
      const std::string& argument = graph.node(inner)->input.at(0);
      for (const std::string& x : reachable_by_arithmetic(graph, argument)) {
        Match match(graph, index);
        match.add(inner);
        const DType dtype = graph.dtype(x);
        const auto of_argument = polynomial_of(match, argument, x, "");
        if (!of_argument || !of_argument->is(spelling.argument, dtype)) continue;
        const auto of_root = polynomial_of(match, first_output(root), x, first_output(*graph.node(inner)));
        if (!of_root || !of_root->is(whole, dtype)) continue;
        if (!is_float_type(dtype)) return graph.refuse(index, "Gelu: the element type is not known");
        return match.replaced_by(gelu(graph, root, spelling, x));
      }
    }
  }
  return std::nullopt;
}

}  // namespace sardonyx::optimize
