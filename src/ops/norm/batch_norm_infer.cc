#include <algorithm>

#include "ops/facts.h"
#include "ops/norm/batch_norm.h"

namespace sardonyx::ops {

BatchNormSpec batch_norm_spec_from_node(const model::Node& node, int64_t opset) {
  const bool trains_by_attribute =
      opset >= 14 ? model::get_int(node, "training_mode", 0) != 0 : opset < 7 && model::get_int(node, "is_test", 0) == 0;
  const bool gives_statistics =
      std::any_of(node.output.begin() + 1, node.output.end(), [](const std::string& name) { return !name.empty(); });
  if (trains_by_attribute || gives_statistics) {
    throw Error(ErrorCode::kUnsupported,
                "batch normalization in training mode is not supported; export the model in evaluation mode (model.eval())");
  }
  return {.epsilon = model::get_float(node, "epsilon", 1e-5f), .per_element = opset < 9 && model::get_int(node, "spatial", 1) == 0};
}

BatchNormGeometry batch_norm_geometry(const BatchNormSpec& spec, const Shape& x) {
  if (x.empty()) throw argument_error("X is a scalar; it must be (batch, channels, ...)");
  if (x.size() == 1) return {.batch = to_size(x[0]), .channels = 1, .inner = 1, .statistics = {1}};
  const size_t inner = span_count(x, 2, x.size());
  if (!spec.per_element) return {.batch = to_size(x[0]), .channels = to_size(x[1]), .inner = inner, .statistics = {x[1]}};
  return {.batch = to_size(x[0]), .channels = to_size(x[1]) * inner, .inner = 1, .statistics = Shape(x.begin() + 1, x.end())};
}

}  // namespace sardonyx::ops
