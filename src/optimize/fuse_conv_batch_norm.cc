#include <cmath>
#include <span>

#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// y = x * scale + shift, per channel.
struct Affine {
  std::vector<double> scale, shift;
};

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

std::optional<Affine> affine_of(const GraphView& graph, const model::Node& node, size_t channels) {
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

template <class T>
Tensor scaled_weight(const Tensor& weight, const Affine& affine) {
  Tensor result = weight.clone();
  const std::span<T> values = result.mutable_values<T>();
  const size_t channels = affine.scale.size();
  const size_t per_channel = values.size() / channels;
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<T>(static_cast<double>(values[i]) * affine.scale[i / per_channel]);
  return result;
}

template <class T>
Tensor scaled_bias(const Tensor* bias, const Affine& affine) {
  const size_t channels = affine.scale.size();
  Tensor result = Tensor::empty({static_cast<int64_t>(channels)}, kDTypeOf<T>);
  const std::span<T> values = result.mutable_values<T>();
  for (size_t c = 0; c < channels; ++c) {
    const double before = bias ? static_cast<double>(bias->values<T>()[c]) : 0.0;
    values[c] = static_cast<T>(before * affine.scale[c] + affine.shift[c]);
  }
  return result;
}

struct ConvConstants {
  const Tensor* weight = nullptr;
  const Tensor* bias = nullptr;  // null: the node has none
};

std::optional<ConvConstants> constants_of(const GraphView& graph, const model::Node& conv) {
  if (conv.input.size() < 2) return std::nullopt;
  ConvConstants result{graph.constant(conv.input[1]), nullptr};
  if (!result.weight || result.weight->dim() < 3 || result.weight->numel() == 0) return std::nullopt;
  if (result.weight->dtype() != DType::kFloat32 && result.weight->dtype() != DType::kFloat64) return std::nullopt;
  if (conv.input.size() < 3 || conv.input[2].empty()) return result;
  result.bias = graph.constant(conv.input[2]);
  const bool fits = result.bias && result.bias->dtype() == result.weight->dtype() && result.bias->shape() == Shape{result.weight->size(0)};
  return fits ? std::optional(result) : std::nullopt;
}

}  // namespace

std::optional<Patch> fuse_conv_batch_norm(const GraphView& graph, size_t index) {
  const model::Node& conv = *graph.node(index);
  if (conv.op_type != "Conv" || !is_onnx_domain(conv.domain)) return std::nullopt;
  const std::optional<size_t> next = graph.sole_consumer(first_output(conv));
  if (!next) return std::nullopt;
  const model::Node& norm = *graph.node(*next);
  if (norm.op_type != "BatchNormalization" || !is_onnx_domain(norm.domain) || norm.input.at(0) != first_output(conv)) return std::nullopt;
  const std::optional<ConvConstants> constants = constants_of(graph, conv);
  if (!constants) return std::nullopt;
  const std::optional<Affine> affine = affine_of(graph, norm, static_cast<size_t>(constants->weight->size(0)));
  if (!affine) return std::nullopt;

  const bool is_float = constants->weight->dtype() == DType::kFloat32;
  const Tensor weight = is_float ? scaled_weight<float>(*constants->weight, *affine) : scaled_weight<double>(*constants->weight, *affine);
  const Tensor bias = is_float ? scaled_bias<float>(constants->bias, *affine) : scaled_bias<double>(constants->bias, *affine);
  model::Node fused = conv;
  fused.input.resize(3);
  fused.input[1] = graph.fresh_name(conv.input[1] + "_normalized");
  fused.input[2] = graph.fresh_name(norm.input[2] + "_folded");
  fused.output = {first_output(norm)};
  Patch patch{.remove = {index, *next}};
  patch.constants.push_back(model::encode(weight, fused.input[1]));
  patch.constants.push_back(model::encode(bias, fused.input[2]));
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
