// Transpose, elementwise operators, Transpose: the operators run before the first, and the two become one or none.
#include <algorithm>
#include <array>
#include <numeric>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr size_t kMaxChain = 16;

constexpr std::array<std::string_view, 29> kUnary = {
    "Abs",  "Cast",        "Ceil",      "Celu",     "Clip",      "Cos", "Elu",      "Erf",  "Exp", "Floor",
    "Gelu", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Log", "Mish",     "Neg",  "Not", "Reciprocal",
    "Relu", "Round",       "Selu",      "Sigmoid",  "Sign",      "Sin", "Softplus", "Sqrt", "Tanh"};
constexpr std::array<std::string_view, 7> kBinary = {"Add", "Div", "Max", "Min", "Mul", "Pow", "Sub"};

// The only input of an elementwise node that is no scalar; nullopt for other nodes.
std::optional<size_t> tensor_input(const GraphView& graph, const model::Node& node) {
  if (!is_onnx_domain(node.domain) || node.input.empty() || node.output.size() != 1) return std::nullopt;
  if (std::ranges::find(kUnary, node.op_type) != kUnary.end()) return 0;
  if (node.input.size() != 2 || std::ranges::find(kBinary, node.op_type) == kBinary.end()) return std::nullopt;
  if (node.find_attribute("axis") || node.find_attribute("broadcast")) return std::nullopt;
  for (size_t i = 0; i < 2; ++i) {
    const Tensor* other = graph.constant(node.input[1 - i]);
    if (other && other->dim() == 0) return i;
  }
  return std::nullopt;
}

std::vector<int64_t> perm_of(const GraphView& graph, const model::Node& node) {
  std::vector<int64_t> reversed(rank(graph, node.input.at(0)).value_or(0));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return model::get_ints(node, "perm", std::move(reversed));
}

// Type of a value of the chain when it has the dimensions of `like`.
std::optional<model::TensorType> type_with_dims(const GraphView& graph, const std::string& value, const std::string& like) {
  const model::TensorType *own = graph.type(value), *other = graph.type(like);
  if (!own || !other) return std::nullopt;
  model::TensorType type = *other;
  type.elem_type = own->elem_type;
  return type;
}

}  // namespace

std::optional<Patch> cancel_transposes(const GraphView& graph, size_t index) {
  const model::Node& last = *graph.node(index);
  if (!is_onnx_node(last, "Transpose") || last.input.size() != 1) return std::nullopt;
  std::vector<size_t> chain;  // from the last to the first
  const std::string* value = &last.input[0];
  std::optional<size_t> producer;
  while (chain.size() < kMaxChain && (producer = graph.producer(*value)) && graph.sole_consumer(*value)) {
    const auto input = tensor_input(graph, *graph.node(*producer));
    if (!input) break;
    chain.push_back(*producer);
    value = &graph.node(*producer)->input[*input];
  }
  const auto first = made_by(graph, *value, "Transpose");
  if (chain.empty() || !first || !graph.sole_consumer(*value)) return std::nullopt;
  const std::string& x = graph.node(*first)->input.at(0);
  const std::vector<int64_t> inner = perm_of(graph, *graph.node(*first)), outer = perm_of(graph, last);
  if (inner.empty() || inner.size() != outer.size()) return std::nullopt;
  std::vector<int64_t> perm;
  for (const int64_t axis : outer) {
    if (axis < 0 || axis >= static_cast<int64_t>(inner.size())) return std::nullopt;
    perm.push_back(inner[static_cast<size_t>(axis)]);
  }
  const bool cancels = std::ranges::is_sorted(perm);

  Patch patch{.remove = {index, *first}};
  std::string before = x;
  for (size_t i = chain.size(); i-- > 0;) {
    model::Node node = *graph.node(chain[i]);
    node.input[*tensor_input(graph, node)] = before;
    const std::string old = node.output[0];
    node.output[0] = cancels && i == 0 ? last.output[0] : graph.fresh_name(old + "_early");
    if (auto type = type_with_dims(graph, old, x)) patch.types.emplace_back(node.output[0], std::move(*type));
    before = node.output[0];
    patch.remove.push_back(chain[i]);
    patch.add.push_back(std::move(node));
  }
  if (cancels) return patch;
  patch.add.push_back(named_like(last, "", "Transpose", {before}, last.output[0]));
  patch.add.back().attribute.push_back(model::Attribute::of("perm", std::move(perm)));
  return patch;
}

}  // namespace sardonyx::optimize
