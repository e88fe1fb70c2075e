#include "optimize/quantized.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> remove_requantize(const GraphView& graph, size_t index) {
  const std::optional<Quantized> after = quantized_by(graph, index);
  if (!after) return std::nullopt;
  const std::optional<Dequantized> before = dequantized(graph, graph.node(index)->input[0]);
  // A byte comes back as itself: its number is a multiple of the scale up to a rounding, whose quotient rounds to the same integer.
  if (!before || !before->how.equals(after->how) || !graph.can_replace(after->q, before->q)) return std::nullopt;
  Patch patch{.remove = {index}, .replace = {{after->q, before->q}}};
  retire(graph, {*before}, index, patch);
  return patch;
}

}  // namespace sardonyx::optimize
