#include <algorithm>

#include "optimize/product.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> fuse_bias(const GraphView& graph, size_t index) {
  const std::optional<Product> product = constant_product(graph, *graph.node(index));
  if (!product) return std::nullopt;
  const std::string& result = first_output(*product->node);
  const std::optional<size_t> next = graph.sole_consumer(result);
  if (!next) return std::nullopt;
  const model::Node& sum = *graph.node(*next);
  const bool subtracts = sum.op_type == "Sub";
  if ((sum.op_type != "Add" && !subtracts) || !is_onnx_domain(sum.domain) || sum.input.size() != 2) return std::nullopt;
  if (subtracts && sum.input[0] != result) return std::nullopt;
  Affine affine;
  auto values = channel_values(graph, *product, sum.input[sum.input[0] == result ? 1 : 0]);
  if (!values) return std::nullopt;
  affine.shift = std::move(*values);
  if (subtracts) std::ranges::transform(affine.shift, affine.shift.begin(), std::negate<>());
  return fold_into_product(graph, *product, affine, index, *next);
}

}  // namespace sardonyx::optimize
