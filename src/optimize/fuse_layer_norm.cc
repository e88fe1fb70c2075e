// LayerNormalization and RMSNormalization as exporters without them write them: the mean (or not) taken off, divided by the root of the
// mean square plus epsilon, then scale and bias.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kOwnRms = 23;  // from this opset on ai.onnx has RMSNormalization

// What stands before scale and bias: x divided by its root mean square, with the mean taken off before (`centered`) or not.
struct Normalized {
  std::string x;
  std::vector<int64_t> axes;
  double epsilon = 0;
  bool centered = false;
};

// The value behind a Cast, and the Cast added to the match; the value itself without one.
const std::string& behind_cast(Match& match, const std::string& value) {
  const model::Node* cast = match.add(value, "Cast");
  return cast ? cast->input.at(0) : value;
}

// ReduceMean that keeps its axes.
const model::Node* add_mean(Match& match, const std::string& value, std::vector<int64_t>& axes) {
  const model::Node* mean = match.add(value, "ReduceMean");
  if (!mean || model::get_int(*mean, "keepdims", 1) == 0) return nullptr;
  const auto found = ints_of(match.graph(), *mean, "axes", 1);
  if (!found || found->empty()) return nullptr;
  axes = *found;
  return mean;
}

// The value whose square this is.
const std::string* add_square(Match& match, const std::string& value) {
  if (const model::Node* pow = match.add(value, "Pow")) {
    return factor_for(match.graph(), pow->input.at(1), pow->input[0]) == 2 ? &pow->input[0] : nullptr;
  }
  const model::Node* mul = match.add(value, "Mul");
  return mul && mul->input.at(0) == mul->input.at(1) ? &mul->input[0] : nullptr;
}

// x of x - mean(x).
std::optional<std::string> add_centered(Match& match, const std::string& value, const std::vector<int64_t>& axes) {
  Match trial = match;
  const model::Node* sub = trial.add(value, "Sub");
  if (!sub) return std::nullopt;
  std::vector<int64_t> own_axes;
  const model::Node* mean = add_mean(trial, sub->input.at(1), own_axes);
  if (!mean || own_axes != axes || mean->input[0] != sub->input[0]) return std::nullopt;
  match = trial;
  return sub->input[0];
}

// The variance in variance + epsilon.
const std::string* add_epsilon(Match& match, const std::string& value, double& epsilon) {
  const model::Node* add = match.add(value, "Add");
  for (size_t i = 0; add && i < 2; ++i) {
    if (const auto constant = factor_for(match.graph(), add->input.at(1 - i), add->input.at(i))) {
      epsilon = *constant;
      return &add->input[i];
    }
  }
  return nullptr;
}

// variance + epsilon of what is its root.
const std::string* add_root(Match& match, const std::string& value) {
  if (const model::Node* sqrt = match.add(value, "Sqrt")) return &sqrt->input.at(0);
  const model::Node* pow = match.add(value, "Pow");
  return pow && factor_for(match.graph(), pow->input.at(1), pow->input[0]) == 0.5 ? &pow->input[0] : nullptr;
}

// The same of what is one over its root.
const std::string* add_inverse_root(Match& match, const std::string& value) {
  if (const model::Node* reciprocal = match.add(value, "Reciprocal")) return add_root(match, reciprocal->input.at(0));
  if (const model::Node* div = match.add(value, "Div")) {
    return factor_for(match.graph(), div->input.at(0), div->input.at(1)) == 1 ? add_root(match, div->input[1]) : nullptr;
  }
  const model::Node* pow = match.add(value, "Pow");
  return pow && factor_for(match.graph(), pow->input.at(1), pow->input[0]) == -0.5 ? &pow->input[0] : nullptr;
}

std::optional<Normalized> normalized(Match& match, const std::string& numerator, const std::string& sum) {
  Normalized result;
  const std::string* variance = add_epsilon(match, sum, result.epsilon);
  const model::Node* mean = variance ? add_mean(match, *variance, result.axes) : nullptr;
  const std::string* base = mean ? add_square(match, mean->input[0]) : nullptr;
  if (!base) return std::nullopt;
  // The squared difference may have been cast, and may be another node than the one that is divided.
  const std::string squared = made_by(match.graph(), *base, "Cast") && *base != numerator ? behind_cast(match, *base) : *base;
  const auto of_square = add_centered(match, squared, result.axes);
  if (of_square && squared == numerator) {
    result.x = *of_square, result.centered = true;
    return result;
  }
  const auto of_numerator = add_centered(match, numerator, result.axes);
  result.centered = of_square && of_numerator;
  if (result.centered && *of_square != *of_numerator) return std::nullopt;
  if (!result.centered && squared != numerator) return std::nullopt;
  result.x = result.centered ? *of_square : numerator;
  return result;
}

// The division of a node, if it is one.
std::optional<Normalized> division(Match& match) {
  const model::Node& node = match.node(match.root());
  if (node.input.size() != 2) return std::nullopt;
  if (is_onnx_node(node, "Div")) {
    const std::string* sum = add_root(match, node.input[1]);
    return sum ? normalized(match, node.input[0], *sum) : std::nullopt;
  }
  for (size_t i = 0; is_onnx_node(node, "Mul") && i < 2; ++i) {
    Match trial = match;
    const std::string* sum = add_inverse_root(trial, node.input[i]);
    auto result = sum ? normalized(trial, node.input[1 - i], *sum) : std::nullopt;
    if (!result) continue;
    match = trial;
    return result;
  }
  return std::nullopt;
}

// The axis from which on all are reduced, as a negative number; nullopt if they are not the last ones.
std::optional<int64_t> first_axis(const GraphView& graph, const Normalized& n) {
  std::vector<int64_t> axes = n.axes;
  const auto own_rank = rank(graph, n.x);
  for (int64_t& axis : axes) {
    if (axis < 0) continue;
    if (!own_rank) return std::nullopt;
    axis -= static_cast<int64_t>(*own_rank);
  }
  std::ranges::sort(axes);
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(i) - static_cast<int64_t>(axes.size())) return std::nullopt;
  }
  return axes.front();
}

// Whether the value is a parameter for the last `count` dimensions of x: of exactly their sizes.
bool is_parameter(const GraphView& graph, const std::string& value, const std::string& x, size_t count) {
  const auto *own = graph.dims(value), *dims = graph.dims(x);
  return own && dims && own->size() == count && dims->size() >= count && graph.dtype(value) == graph.dtype(x) &&
         std::equal(own->begin(), own->end(), dims->end() - static_cast<ptrdiff_t>(count), is_same);
}

// The node that alone reads the value and combines it with such a parameter.
std::optional<size_t> parameter_step(const GraphView& graph, const std::string& value, const char* op_type, const Normalized& n,
                                     size_t count) {
  const auto next = graph.sole_consumer(value);
  if (!next || !is_onnx_node(*graph.node(*next), op_type) || graph.node(*next)->input.size() != 2) return std::nullopt;
  return is_parameter(graph, other_operand(*graph.node(*next), value), n.x, count) ? next : std::nullopt;
}

Tensor ones_like_last(const GraphView& graph, const Normalized& n, size_t count) {
  Shape shape;
  const auto& dims = *graph.dims(n.x);
  for (size_t i = dims.size() - count; i < dims.size(); ++i) shape.push_back(dims[i].size());
  return Tensor::ones(shape, graph.dtype(n.x));
}

bool has_known_last(const GraphView& graph, const std::string& x, size_t count) {
  const auto* dims = graph.dims(x);
  if (!dims || dims->size() < count) return false;
  return std::all_of(dims->end() - static_cast<ptrdiff_t>(count), dims->end(), [](const model::Dimension& d) { return d.is_known(); });
}

model::Node fused_node(const GraphView& graph, const model::Node& root, const Normalized& n, int64_t axis) {
  const bool own_rms = graph.opset("") >= kOwnRms;
  model::Node fused = named_like(root, "",
                                 n.centered ? "LayerNormalization"
                                 : own_rms  ? "RMSNormalization"
                                            : "SimplifiedLayerNormalization",
                                 {n.x}, first_output(root));
  fused.attribute = {model::Attribute::of("axis", axis), model::Attribute::of("epsilon", static_cast<float>(n.epsilon))};
  if (graph.dtype(n.x) == DType::kFloat64) fused.attribute.push_back(model::Attribute::of("stash_type", 11));
  return fused;
}

// Of float16, exporters compute in float32: x behind the Cast at the front, where the result is cast back.
void look_through_casts(Match& match, Normalized& n, std::string& result) {
  const GraphView& graph = match.graph();
  const auto front = made_by(graph, n.x, "Cast");
  const auto back = graph.sole_consumer(result);
  if (!front || !back || !is_onnx_node(*graph.node(*back), "Cast") || graph.dtype(n.x) != DType::kFloat32) return;
  const std::string& inner = graph.node(*front)->input.at(0);
  const DType narrow = graph.dtype(inner);
  if ((narrow != DType::kFloat16 && narrow != DType::kBFloat16) || graph.dtype(first_output(*graph.node(*back))) != narrow) return;
  match.add(*front);
  match.add(*back);
  n.x = inner;
  result = first_output(*graph.node(*back));
}

}  // namespace

std::optional<Patch> fuse_layer_norm(const GraphView& graph, size_t index) {
  const model::Node& root = *graph.node(index);
  if (!is_onnx_node(root, "Div") && !is_onnx_node(root, "Mul")) return std::nullopt;
  Match inner(graph, index);
  std::optional<Normalized> n = division(inner);
  if (!n) return std::nullopt;
  std::string result = first_output(root);
  look_through_casts(inner, *n, result);
  const auto axis = first_axis(graph, *n);
  if (!axis) return graph.refuse(index, "LayerNormalization: the axes are not known to be the last ones");
  if (!is_float_type(graph.dtype(n->x))) return graph.refuse(index, "LayerNormalization: the element type is not known");
  if (!(n->epsilon > 0) || (graph.dtype(n->x) == DType::kFloat64 && static_cast<double>(static_cast<float>(n->epsilon)) != n->epsilon)) {
    return graph.refuse(index, "LayerNormalization: epsilon is no positive float");
  }
  const auto count = static_cast<size_t>(-*axis);
  model::Node fused = fused_node(graph, root, *n, *axis);
  Patch patch;
  const auto scale = parameter_step(graph, result, "Mul", *n, count);
  if (scale) {
    inner.add(*scale);
    fused.input.push_back(other_operand(*graph.node(*scale), result));
    result = first_output(*graph.node(*scale));
  } else if (has_known_last(graph, n->x, count)) {
    fused.input.push_back(graph.fresh_name(result + "_scale"));
    patch.constants.push_back(model::encode(ones_like_last(graph, *n, count), fused.input.back()));
  } else {
    return graph.refuse(index, "LayerNormalization: there is no scale, and the size is not known");
  }
  const auto bias = n->centered && scale ? parameter_step(graph, result, "Add", *n, count) : std::nullopt;
  if (bias) {
    inner.add(*bias);
    fused.input.push_back(other_operand(*graph.node(*bias), result));
    result = first_output(*graph.node(*bias));
  }
  const auto last = graph.producer(result);
  Match match(graph, *last);
  for (const size_t node : inner.nodes()) match.add(node);
  fused.output = {result};
  auto replaced = match.replaced_by(std::move(fused));
  if (replaced) replaced->constants = std::move(patch.constants);
  return replaced;
}

}  // namespace sardonyx::optimize
