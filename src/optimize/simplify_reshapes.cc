// Reshape to a shape that is computed, or of what Reshape, Flatten, Squeeze or Unsqueeze has made, where the resulting sizes are known but
// for one: a Reshape to a constant shape.
#include <algorithm>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

constexpr int64_t kShapeIsInput = 5;

bool only_reshapes(const model::Node& node) {
  return is_onnx_domain(node.domain) && !node.input.empty() && node.output.size() == 1 &&
         (node.op_type == "Reshape" || node.op_type == "Flatten" || node.op_type == "Squeeze" || node.op_type == "Unsqueeze");
}

// Input of Reshape that gives these sizes, whatever it reshapes; nullopt where more than one is unknown. No size may be 0, as a Reshape
// takes it for a size of its input.
std::optional<std::vector<int64_t>> target_of(const std::vector<model::Dimension>& dims) {
  std::vector<int64_t> target;
  for (const model::Dimension& dim : dims) target.push_back(dim.is_known() ? dim.size() : -1);
  if (std::ranges::count(target, -1) > 1 || std::ranges::count(target, 0) > 0) return std::nullopt;
  return target;
}

// What was reshaped by all reshaping nodes that lead to the value.
const std::string& origin(const GraphView& graph, const std::string& value) {
  constexpr int kMaxDepth = 16;
  const std::string* from = &value;
  for (int i = 0; i < kMaxDepth; ++i) {
    const auto producer = graph.producer(*from);
    if (!producer || !only_reshapes(*graph.node(*producer))) break;
    from = &graph.node(*producer)->input[0];
  }
  return *from;
}

}  // namespace

std::optional<Patch> simplify_reshapes(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!only_reshapes(node) || graph.opset("") < kShapeIsInput) return std::nullopt;
  const std::string& from = origin(graph, node.input[0]);
  const bool is_computed = node.op_type == "Reshape" && node.input.size() == 2 && !graph.constant(node.input[1]);
  if (from == node.input[0] && !is_computed) return std::nullopt;
  if (have_same_dims(graph, from, first_output(node)) && graph.can_replace(first_output(node), from)) {
    return Patch{.remove = {index}, .replace = {{first_output(node), from}}};
  }
  const auto* dims = graph.dims(first_output(node));
  const auto target = dims ? target_of(*dims) : std::nullopt;
  if (!target) return std::nullopt;
  const std::string shape = graph.fresh_name(first_output(node) + "_shape");
  Patch patch{.remove = {index}};
  patch.constants.push_back(
      model::encode(Tensor::of<int64_t>({static_cast<int64_t>(target->size())}, std::span<const int64_t>(*target)), shape));
  patch.add.push_back(named_like(node, "", "Reshape", {from, shape}, first_output(node)));
  return patch;
}

}  // namespace sardonyx::optimize
