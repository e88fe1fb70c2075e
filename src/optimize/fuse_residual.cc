#include "optimize/known_shape.h"
#include "optimize/product.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
std::optional<Patch> fuse_residual(const GraphView& graph, size_t index) {
  const model::Node& conv = *graph.node(index);
  if (product_kind(conv) != ProductKind::kConv || has_activation(conv) || has_residual(conv)) return std::nullopt;
  const std::string& result = first_output(conv);
  const std::optional<size_t> next = graph.sole_consumer(result);
  if (!next) return std::nullopt;
  const model::Node& sum = *graph.node(*next);
  if (sum.op_type != "Add" || !is_onnx_domain(sum.domain) || sum.input.size() != 2) return std::nullopt;
  const std::string& other = sum.input[sum.input[0] == result ? 1 : 0];
  if (!known_same_shape(graph, result, other)) return std::nullopt;
  // The other operand cannot depend on the convolution, whose only reader is the sum.
  model::Node fused = as_fused(conv);
  fused.input.resize(4);
  fused.input[3] = other;
  fused.output = {first_output(sum)};
  Patch patch{.remove = {index, *next}};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
