// Shape arithmetic whose result inference knows, although sizes that do not enter it are open: a constant.
#include <algorithm>

#include "optimize/evaluate.h"
#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> fold_known_shapes(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (node.output.size() != 1 || node.input.empty() || has_subgraph(node)) return std::nullopt;
  const auto* elements = graph.elements(first_output(node));
  const auto own_rank = rank(graph, first_output(node));
  const DType dtype = graph.dtype(first_output(node));
  if (!elements || !own_rank || *own_rank > 1 || (dtype != DType::kInt64 && dtype != DType::kInt32)) return std::nullopt;
  std::vector<int64_t> values;
  for (const model::Dimension& element : *elements) {
    if (!element.is_known()) return std::nullopt;
    values.push_back(element.size());
  }
  if (*own_rank == 0 && values.size() != 1) return std::nullopt;
  const Shape shape = *own_rank == 0 ? Shape{} : Shape{static_cast<int64_t>(values.size())};
  if (!graph.admits(first_output(node), dtype, shape)) return std::nullopt;
  Patch patch{.remove = {index}};
  patch.constants.push_back(model::encode(Tensor::of<int64_t>(shape, std::span<const int64_t>(values)).to(dtype), first_output(node)));
  return patch;
}

}  // namespace sardonyx::optimize
