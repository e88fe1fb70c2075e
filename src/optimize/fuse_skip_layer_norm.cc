// Add of two values of one shape, and the normalisation of the sum along its last dimension. The sum stays as an output where others read
// it.
#include "optimize/match.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// Whether the value is a vector as long as the last dimension of x, of its type.
bool is_row(const GraphView& graph, const std::string& value, const std::string& x) {
  const auto *own = graph.dims(value), *dims = graph.dims(x);
  return own && dims && own->size() == 1 && is_same(own->front(), dims->back()) && graph.dtype(value) == graph.dtype(x);
}

bool is_along_last(const GraphView& graph, const model::Node& norm) {
  const int64_t axis = model::get_int(norm, "axis", -1);
  return axis == -1 || axis + 1 == static_cast<int64_t>(rank(graph, norm.input[0]).value_or(0));
}

}  // namespace

std::optional<Patch> fuse_skip_layer_norm(const GraphView& graph, size_t index) {
  const model::Node& norm = *graph.node(index);
  const bool is_centered = is_onnx_node(norm, "LayerNormalization");
  if ((!is_centered && !is_onnx_node(norm, "SimplifiedLayerNormalization")) || norm.output.size() != 1) return std::nullopt;
  const std::string& sum = norm.input[0];
  const auto found = made_by(graph, sum, "Add");
  if (!found || model::get_int(norm, "stash_type", 1) != 1) return std::nullopt;
  const model::Node& add = *graph.node(*found);
  const auto own_rank = rank(graph, sum);
  const DType dtype = graph.dtype(sum);
  if (!have_same_dims(graph, add.input[0], sum) || !have_same_dims(graph, add.input[1], sum) || (own_rank != 2 && own_rank != 3)) {
    return graph.refuse(index, "SkipLayerNormalization: the summands are not known to have one shape of rank 2 or 3");
  }
  if (!is_along_last(graph, norm) || !is_float_type(dtype) || dtype == DType::kFloat64) return std::nullopt;
  for (size_t i = 1; i < norm.input.size(); ++i) {
    if (!norm.input[i].empty() && !is_row(graph, norm.input[i], sum)) return std::nullopt;
  }
  model::Node fused = named_like(norm, "com.microsoft", is_centered ? "SkipLayerNormalization" : "SkipSimplifiedLayerNormalization",
                                 {add.input[0], add.input[1], norm.input[1]}, first_output(norm));
  if (is_centered && norm.input.size() > 2 && !norm.input[2].empty()) fused.input.push_back(norm.input[2]);
  fused.attribute.push_back(model::Attribute::of("epsilon", model::get_float(norm, "epsilon", 1e-5f)));
  if (graph.sole_consumer(sum) != index) fused.output.insert(fused.output.end(), {"", "", sum});
  Patch patch{.remove = {index, *found}};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
