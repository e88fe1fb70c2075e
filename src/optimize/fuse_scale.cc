#include <algorithm>

#include "optimize/product.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {

std::optional<Patch> fuse_scale(const GraphView& graph, size_t index) {
  const std::optional<Product> product = constant_product(graph, *graph.node(index));
  if (!product) return std::nullopt;
  const std::string& result = first_output(*product->node);
  const std::optional<size_t> next = graph.sole_consumer(result);
  if (!next) return std::nullopt;
  const model::Node& scale = *graph.node(*next);
  const bool divides = scale.op_type == "Div";
  if ((scale.op_type != "Mul" && !divides) || !is_onnx_domain(scale.domain) || scale.input.size() != 2) return std::nullopt;
  if (divides && scale.input[0] != result) return std::nullopt;
  Affine affine;
  auto values = channel_values(graph, *product, scale.input[scale.input[0] == result ? 1 : 0]);
  if (!values) return std::nullopt;
  affine.scale = std::move(*values);
  if (divides) {
    if (std::ranges::find(affine.scale, 0.0) != affine.scale.end()) return std::nullopt;
    std::ranges::transform(affine.scale, affine.scale.begin(), [](double value) { return 1 / value; });
  }
  return fold_into_product(graph, *product, affine, index, *next);
}

}  // namespace sardonyx::optimize
