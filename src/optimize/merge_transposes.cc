// Transpose of a Transpose.
#include <numeric>

#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// The order of dimensions; without the attribute they are reversed, if the rank is known.
std::vector<int64_t> perm_of(const GraphView& graph, const model::Node& node) {
  std::vector<int64_t> reversed(rank(graph, node.input.at(0)).value_or(0));
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  return model::get_ints(node, "perm", std::move(reversed));
}

}  // namespace

std::optional<Patch> merge_transposes(const GraphView& graph, size_t index) {
  const model::Node& second = *graph.node(index);
  if (!is_onnx_node(second, "Transpose") || second.input.size() != 1) return std::nullopt;
  const auto found = made_by(graph, second.input[0], "Transpose");
  if (!found) return std::nullopt;
  const model::Node& first = *graph.node(*found);
  const std::vector<int64_t> inner = perm_of(graph, first), outer = perm_of(graph, second);
  if (inner.empty() || inner.size() != outer.size()) return std::nullopt;
  std::vector<int64_t> perm;
  for (const int64_t axis : outer) {
    if (axis < 0 || axis >= static_cast<int64_t>(inner.size())) return std::nullopt;
    perm.push_back(inner[static_cast<size_t>(axis)]);
  }
  Patch patch{.remove = {index}};
  patch.add.push_back(second);
  patch.add[0].input[0] = first.input[0];
  patch.add[0].attribute = {model::Attribute::of("perm", std::move(perm))};
  return patch;
}

}  // namespace sardonyx::optimize
