// Nodes that hand their input on because of its type or shape: Cast to the type it has, Transpose that keeps the order, Reshape, Expand,
// Slice and so on to the shape it has, Concat and Sum of one.
#include <algorithm>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool casts_to_own_type(const GraphView& graph, const model::Node& node) {
  const DType dtype = graph.dtype(node.input[0]);
  return dtype != DType::kUndefined && dtype == graph.dtype(first_output(node));
}

bool keeps_order(const model::Node& node) {
  const auto perm = model::get_ints(node, "perm");
  return !perm.empty() && std::ranges::is_sorted(perm);
}

// Whether an attribute or constant input holds nothing but `value`; an absent optional one does.
bool holds_only(const GraphView& graph, const model::Node& node, std::string_view attribute, size_t input, int64_t value) {
  if (!node.find_attribute(attribute) && (input >= node.input.size() || node.input[input].empty())) return true;
  const auto values = ints_of(graph, node, attribute, input);
  return values && std::ranges::all_of(*values, [&](int64_t v) { return v == value; });
}

bool is_idle(const GraphView& graph, const model::Node& node) {
  const std::string& op = node.op_type;
  if (is_one_of(op, {"Sum", "Max", "Min", "Concat"})) return node.input.size() == 1;
  if (op == "Cast") return casts_to_own_type(graph, node);
  if (op == "Transpose" && keeps_order(node)) return true;
  const bool same_shape = have_same_dims(graph, node.input[0], first_output(node));
  if (is_one_of(op, {"Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", "Tile"})) return same_shape;
  if (op == "Slice") return same_shape && holds_only(graph, node, "steps", 4, 1);
  // A shift (padding on one side, cropping on the other) keeps the shape, too.
  return op == "Pad" && same_shape && (node.find_attribute("pads") || node.input.size() > 1) && holds_only(graph, node, "pads", 1, 0);
}

}  // namespace

std::optional<Patch> remove_no_ops(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!is_onnx_domain(node.domain) || node.input.empty() || node.input[0].empty() || node.output.size() != 1) return std::nullopt;
  if (!is_idle(graph, node) || !graph.can_replace(node.output[0], node.input[0])) return std::nullopt;
  return Patch{.remove = {index}, .replace = {{node.output[0], node.input[0]}}};
}

}  // namespace sardonyx::optimize
