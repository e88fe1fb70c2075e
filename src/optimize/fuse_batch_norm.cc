#include "optimize/batch_norm.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
std::optional<Patch> fuse_batch_norm(const GraphView& graph, size_t index) {
  const model::Node& node = *graph.node(index);
  if (!product_kind(node)) return std::nullopt;
  const std::string& result = first_output(node);
  const auto& readers = graph.consumers(result);
  if (readers.empty()) return std::nullopt;
  const model::Node& norm = *graph.node(readers[0]);
  if (norm.op_type != "BatchNormalization" || !is_onnx_domain(norm.domain) || norm.input.at(0) != result) return std::nullopt;
  if (graph.sole_consumer(result) != readers[0]) return graph.refuse(index, "others read what is normalised");
  const std::optional<Product> product = constant_product(graph, node);
  if (!product) return graph.refuse(index, "its weight or bias is no constant of float or double");
  // The channels that are normalised are the second dimension; those of a MatMul are the last.
  if (product->kind == ProductKind::kMatMul && result_rank(graph, *product) != 2) {
    return graph.refuse(index, "the result is not known to be a matrix");
  }
  const std::optional<Affine> affine = batch_norm_affine(graph, norm, product->channels);
  if (!affine) return graph.refuse(index, "the BatchNormalization trains, or its parameters are no constants");
  std::optional<Patch> patch = fold_into_product(graph, *product, *affine, index, readers[0]);
  return patch ? patch : graph.refuse(index, "a weight would leave the range of its type");
}

}  // namespace sardonyx::optimize
