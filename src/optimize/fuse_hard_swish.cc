// HardSigmoid and HardSwish from clip(x + 3, 0, 6): a sixth of it, and x times that.
#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kOwnOperator = 14;  // from this opset on ai.onnx has HardSwish
constexpr int64_t kBoundsAreInputs = 11;

// Whether the node clips to [lower, upper].
bool clips_to(const GraphView& graph, const model::Node& node, double lower, double upper) {
  if (graph.opset("") < kBoundsAreInputs) {
    return static_cast<double>(model::get_float(node, "min", -1)) == lower &&
           static_cast<double>(model::get_float(node, "max", -1)) == upper;
  }
  return node.input.size() == 3 && number(graph, node.input[1]) == lower && number(graph, node.input[2]) == upper;
}

// Of a value x: the operator whose result enters the product, and x as its argument.
struct Inner {
  size_t node;
  std::string x;
  double factor;  // that the product needs to be x * HardSigmoid(x, 1/6, 1/2)
};

std::optional<Inner> clip_of_sum(Match& match, size_t clip) {
  const GraphView& graph = match.graph();
  if (!clips_to(graph, *graph.node(clip), 0, 6)) return std::nullopt;
  const std::string& argument = graph.node(clip)->input[0];
  const std::optional<size_t> sum = made_by(graph, argument, "Add");
  if (!sum) return std::nullopt;
  for (const std::string& x : graph.node(*sum)->input) {
    if (graph.constant(x)) continue;
    const auto polynomial = polynomial_of(match, argument, x, "");
    if (polynomial && polynomial->is(std::vector<Polynomial::Term>{{0, 0, 3}, {1, 0, 1}}, graph.dtype(x))) return Inner{clip, x, 1.0 / 6};
  }
  return std::nullopt;
}

std::optional<Inner> hard_sigmoid(Match& match, size_t index) {
  const model::Node& node = match.node(index);
  const DType dtype = match.graph().dtype(node.input.at(0));
  const bool fits = is_near(static_cast<double>(model::get_float(node, "alpha", 0.2f)), 1.0 / 6, DType::kFloat32) &&
                    model::get_float(node, "beta", 0.5f) == 0.5f && dtype != DType::kFloat64;
  return fits ? std::optional(Inner{index, node.input[0], 1}) : std::nullopt;
}

std::optional<Patch> fuse(const GraphView& graph, size_t index, Match& match, const Inner& inner) {
  const model::Node& root = *graph.node(index);
  const DType dtype = graph.dtype(inner.x);
  match.add(inner.node);
  const auto of_root = polynomial_of(match, first_output(root), inner.x, first_output(*graph.node(inner.node)));
  if (!of_root) return std::nullopt;
  if (dtype != DType::kFloat32 && dtype != DType::kFloat16 && dtype != DType::kBFloat16) return std::nullopt;
  if (of_root->is(std::vector<Polynomial::Term>{{1, 1, inner.factor}}, dtype)) {
    const bool own = graph.opset("") >= kOwnOperator;
    return match.replaced_by(named_like(root, own ? "" : kFusedDomain, "HardSwish", {inner.x}, first_output(root)));
  }
  if (inner.factor == 1 || !of_root->is(std::vector<Polynomial::Term>{{0, 1, inner.factor}}, dtype)) return std::nullopt;
  model::Node node = named_like(root, "", "HardSigmoid", {inner.x}, first_output(root));
  node.attribute = {model::Attribute::of("alpha", 1.0f / 6), model::Attribute::of("beta", 0.5f)};
  return match.replaced_by(std::move(node));
}

}  // namespace

std::optional<Patch> fuse_hard_swish(const GraphView& graph, size_t index) {
  const model::Node& root = *graph.node(index);
  if (!is_onnx_node(root, "Mul") && !is_onnx_node(root, "Div")) return std::nullopt;
  for (const size_t clip : reachable_nodes(graph, first_output(root), "Clip")) {
    Match match(graph, index);
    const auto inner = clip_of_sum(match, clip);
    auto patch = inner ? fuse(graph, index, match, *inner) : std::nullopt;
    if (patch) return patch;
  }
  for (const size_t node : reachable_nodes(graph, first_output(root), "HardSigmoid")) {
    Match match(graph, index);
    const auto inner = hard_sigmoid(match, node);
    auto patch = inner ? fuse(graph, index, match, *inner) : std::nullopt;
    if (patch) return patch;
  }
  return std::nullopt;
}

}  // namespace sardonyx::optimize
