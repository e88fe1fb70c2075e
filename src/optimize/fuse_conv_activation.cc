#include <limits>

#include "ops/op.h"
#include "optimize/rules.h"

namespace sardonyx::optimize {
namespace {

// One bound of Clip: `absent` where the input is left out, nullopt where it is not a constant float.
std::optional<float> clip_bound(const GraphView& graph, const model::Node& clip, size_t input, float absent) {
  if (input >= clip.input.size() || clip.input[input].empty()) return absent;
  const Tensor* constant = graph.constant(clip.input[input]);
  if (!constant || constant->dtype() != DType::kFloat32 || constant->numel() != 1) return std::nullopt;
  return constant->item<float>();
}

// FusedConv's attributes for that activation.
std::optional<std::vector<model::Attribute>> activation_attributes(const GraphView& graph, const model::Node& node) {
  using model::Attribute;
  if (!is_onnx_domain(node.domain)) return std::nullopt;
  if (node.op_type == "Relu") return std::vector{Attribute::of("activation", "relu")};
  if (node.op_type != "Clip") return std::nullopt;
  const bool by_attribute = graph.opset(node.domain) < 11;
  constexpr float kLowest = std::numeric_limits<float>::lowest(), kGreatest = std::numeric_limits<float>::max();
  const std::optional<float> low = by_attribute ? model::get_float(node, "min", kLowest) : clip_bound(graph, node, 1, kLowest);
  const std::optional<float> high = by_attribute ? model::get_float(node, "max", kGreatest) : clip_bound(graph, node, 2, kGreatest);
  if (!low || !high) return std::nullopt;
  return std::vector{Attribute::of("activation", "clip"), Attribute::of("min", *low), Attribute::of("max", *high)};
}

}  // namespace

std::optional<Patch> fuse_conv_activation(const GraphView& graph, size_t index) {
  const model::Node& conv = *graph.node(index);
  if (conv.op_type != "Conv" || !is_onnx_domain(conv.domain)) return std::nullopt;
  const std::optional<size_t> next = graph.sole_consumer(first_output(conv));
  if (!next) return std::nullopt;
  const model::Node& activation = *graph.node(*next);
  if (activation.input.at(0) != first_output(conv) || activation.output.size() != 1) return std::nullopt;
  const auto attributes = activation_attributes(graph, activation);
  if (!attributes) return std::nullopt;
  model::Node fused = conv;
  fused.domain = kFusedDomain;
  fused.op_type = "FusedConv";
  fused.attribute.insert(fused.attribute.end(), attributes->begin(), attributes->end());
  fused.output = activation.output;
  Patch patch{.remove = {index, *next}};
  patch.add.push_back(std::move(fused));
  return patch;
}

}  // namespace sardonyx::optimize
