#include "optimize/activation_match.h"
#include "optimize/product.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

bool is_float_constant(const GraphView& graph, const std::string& value) {
  const Tensor* constant = graph.constant(value);
  return constant && is_floating_point(constant->dtype());
}

// Relu is the only one of the functions that integers may go through, and Gemm and MatMul the only products of integers.
bool may_be_of_integers(const GraphView& graph, const model::Node& node, ProductKind kind, const ActivationMatch& activation) {
  if (activation.name != "Relu" || kind == ProductKind::kConv || kind == ProductKind::kConvTranspose) return false;
  for (const std::string& value : {node.input.at(0), node.input.at(1), activation.output}) {
    const model::TensorType* type = graph.type(value);
    if ((type && is_floating_point(type->dtype())) || is_float_constant(graph, value)) return false;
  }
  return true;
}

}  // namespace

std::optional<Patch> fuse_activation(const GraphView& graph, size_t index) {
  const model::Node& product = *graph.node(index);
  const std::optional<ProductKind> kind = product_kind(product);
  if (!kind || product.input.size() < 2 || has_activation(product)) return std::nullopt;
  std::optional<ActivationMatch> activation = match_activation(graph, first_output(product));
  if (!activation || may_be_of_integers(graph, product, *kind, *activation)) return std::nullopt;
  Patch patch{.remove = std::move(activation->nodes)};
  patch.remove.push_back(index);
  model::Node fused = as_fused(product);
  fused.attribute.push_back(model::Attribute::of("activation", activation->name));
  if (!activation->params.empty()) fused.attribute.push_back(model::Attribute::of("activation_params", std::move(activation->params)));
  fused.output = {std::move(activation->output)};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
