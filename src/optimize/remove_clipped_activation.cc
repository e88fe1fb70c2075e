#include <limits>

#include "optimize/activation_match.h"
#include "optimize/quantized.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> remove_clipped_activation(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if ((node.op_type != "Relu" && node.op_type != "Clip") || node.input.empty()) return std::nullopt;
  const std::optional<size_t> next = graph.sole_consumer(first_output(node));
  const std::optional<Quantized> quantized = next ? quantized_by(graph, *next) : std::nullopt;
  if (!quantized || !quantized->how.has_one_scale()) return std::nullopt;
  const std::optional<ActivationMatch> function = match_activation_of(graph, node);
  if (!function) return std::nullopt;
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool is_relu = function->name == "Relu";
  const double lower = is_relu ? 0 : static_cast<double>(function->params[0]);
  const double upper = is_relu ? kInfinity : static_cast<double>(function->params[1]);
  // Beyond these bounds everything becomes the least or the greatest byte anyway.
  if (!(lower <= least_value(quantized->how)) || !(upper >= greatest_value(quantized->how))) return std::nullopt;
  return Patch{.remove = {index}, .replace = {{first_output(node), node.input[0]}}};
}

}  // namespace sardonyx::optimize
