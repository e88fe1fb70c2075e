#include "optimize/batch_norm.h"

#include <cmath>
#include <span>

namespace sardonyx::optimize {
namespace {

std::vector<double> as_doubles(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::kFloat64);
  const std::span<const double> values = wide.values<double>();
  return {values.begin(), values.end()};
}

// Whether the node normalises with stored statistics, and gives nothing but the result. From opset 7 to 13, declared statistics tell that
// it trains.
bool is_inference(const GraphView& graph, const model::Node& node) {
  const int64_t opset = graph.opset(node.domain);
  const bool outputs_tell = opset >= 7 && opset < 14;
  for (size_t i = 1; i < node.output.size(); ++i) {
    if (!node.output[i].empty() && (outputs_tell || graph.is_used(node.output[i]))) return false;
  }
  if (opset >= 14) return model::get_int(node, "training_mode", 0) == 0;
  if (opset < 7 && model::get_int(node, "is_test", 0) == 0) return false;
  return model::get_int(node, "spatial", 1) != 0;
}

}  // namespace

std::optional<Affine> batch_norm_affine(const GraphView& graph, const model::Node& node, size_t channels) {
  if (node.input.size() != 5 || !is_inference(graph, node)) return std::nullopt;
  std::vector<double> values[4];  // scale, B, mean, var
  for (size_t i = 0; i < 4; ++i) {
    const Tensor* constant = graph.constant(node.input[i + 1]);
    if (!constant || !is_floating_point(constant->dtype()) || constant->shape() != Shape{static_cast<int64_t>(channels)})
      return std::nullopt;
    values[i] = as_doubles(*constant);
  }
  const double epsilon = static_cast<double>(model::get_float(node, "epsilon", 1e-5f));
  Affine result{std::vector<double>(channels), std::vector<double>(channels)};
  for (size_t c = 0; c < channels; ++c) {
    result.scale[c] = values[0][c] / std::sqrt(values[3][c] + epsilon);
    result.shift[c] = values[1][c] - values[2][c] * result.scale[c];
    if (!std::isfinite(result.scale[c]) || !std::isfinite(result.shift[c])) return std::nullopt;
  }
  return result;
}

}  // namespace sardonyx::optimize
