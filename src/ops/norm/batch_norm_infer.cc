#include <algorithm>

#include "ops/facts.h"
#include "ops/norm/batch_norm.h"

namespace sardonyx::ops {

// Opset 14 on asks for training by an attribute, so did versions before 7; between them the outputs tell.
BatchNormSpec batch_norm_spec_from_node(const model::Node& node, int64_t opset) {
  const bool gives_statistics =
      std::any_of(node.output.begin() + 1, node.output.end(), [](const std::string& name) { return !name.empty(); });
  BatchNormSpec spec = {.epsilon = model::get_float(node, "epsilon", 1e-5f),
                        .momentum = model::get_float(node, "momentum", 0.9f),
                        .training = gives_statistics,
                        .per_element = opset < 9 && model::get_int(node, "spatial", 1) == 0};
  if (opset >= 14) spec.training = model::get_int(node, "training_mode", 0) != 0;
  if (opset < 7) spec.training = model::get_int(node, "is_test", 0) == 0;
  if (gives_statistics && !spec.training) throw model_error("the node gives statistics of a batch, but is not in training mode");
  if (opset >= 14 && node.output.size() > 3)
    throw model_error("the node has {} outputs; there are three from opset 14 on", node.output.size());
  return spec;
}

BatchNormGeometry batch_norm_geometry(const BatchNormSpec& spec, const Shape& x) {
  if (x.empty()) throw argument_error("X is a scalar; it must be (batch, channels, ...)");
  if (x.size() == 1) return {.batch = to_size(x[0]), .channels = 1, .inner = 1, .statistics = {1}};
  const size_t inner = span_count(x, 2, x.size());
  if (!spec.per_element) return {.batch = to_size(x[0]), .channels = to_size(x[1]), .inner = inner, .statistics = {x[1]}};
  return {.batch = to_size(x[0]), .channels = to_size(x[1]) * inner, .inner = 1, .statistics = Shape(x.begin() + 1, x.end())};
}

}  // namespace sardonyx::ops
